"""The settings as the type checker's Django plugin loads them: it starts nothing, so any addresses do."""

from __future__ import annotations

import os

for _name, _value in {
    "PRIVATE_VIEW_SECRET_KEY": "type checking only",
    "DATABASE_URL": "postgresql://private_view@/private_view?host=/nonexistent",
    "REDIS_URL": "unix:///nonexistent",
}.items():
    os.environ.setdefault(_name, _value)

from config.settings import *  # noqa: E402, F403 - a settings module is read by its names
