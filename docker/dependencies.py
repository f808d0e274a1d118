"""Prints the direct dependencies of the project and of the extras named; pip pins them by the compiled list."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
lists = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in sys.argv[1:])]
sys.stdout.write("\n".join(line for names in lists for line in names) + "\n")
