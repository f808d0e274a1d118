"""Prints the project's direct dependencies, and of the extras those that are named; pip pins them by the list.

dependencies.py [EXTRA or PACKAGE ...]
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
extras: dict[str, list[str]] = project["optional-dependencies"]
packages = {re.split(r"[^A-Za-z0-9-]", line)[0]: [line] for lines in extras.values() for line in lines}
chosen = [line for name in sys.argv[1:] for line in (extras | packages)[name]]
sys.stdout.write("\n".join([*project["dependencies"], *chosen]) + "\n")
