"""The web process. It must not be able to read marks: who takes it over could else forge them, or walk them out."""

from __future__ import annotations

import os

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

if "PRIVATE_VIEW_MARK_KEYS" in os.environ:
    raise ImproperlyConfigured(
        "PRIVATE_VIEW_MARK_KEYS is set for the web process, which must not have the keys of the forensic marks. "
        "Set it for render workers and the tracing queue alone."
    )
