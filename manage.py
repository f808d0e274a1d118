#!/usr/bin/env python
"""Runs Django's commands. Puts the two source folders on the path, so that no installation is needed."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    root = Path(__file__).resolve().parent
    sys.path[:0] = [
        str(root),
        str(root / "platform"),
    ]  # `platform` has no __init__.py: it would hide the standard one
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError as error:
        sys.exit(f"{error}. Run `make demo` once: it makes .venv; then use .venv/bin/python manage.py.")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
