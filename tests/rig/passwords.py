"""Hashing a password is slow on purpose: 0.1 s and 100 MB. Tests make hundreds, of people who are nobody.

The algorithm stays. A hash names its own parameters, so processes beside the tests read these as well.
"""

from __future__ import annotations

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher


@pytest.fixture(scope="session", autouse=True)
def _quick_hashes() -> None:
    Argon2PasswordHasher.time_cost = 1
    Argon2PasswordHasher.memory_cost = 8
    Argon2PasswordHasher.parallelism = 1
