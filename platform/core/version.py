"""Which release this is; `pyproject.toml` says the same, and a test holds them together."""

from typing import Final

VERSION: Final = "0.1.0"
