"""Why a file could not be signed."""

from __future__ import annotations

from generation.errors import EngineError


class CredentialsError(EngineError):
    """The chain, the key, the manifest or the file is wrong: another try would fail the same way."""
