"""The web process. It can neither read marks nor sign files: who takes it over could else forge them."""

from __future__ import annotations

import os

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

for name, what, where in (
    ("PRIVATE_VIEW_MARK_KEYS", "the keys of the forensic marks", "the workers that render, copy and trace"),
    ("PRIVATE_VIEW_C2PA_KEY", "the key that signs files", "the workers that render and copy"),
    ("PRIVATE_VIEW_C2PA_SIGN", "a way to sign files", "the workers that render and copy"),
):
    if name in os.environ:
        raise ImproperlyConfigured(
            f"{name} is set for the web process, which must not have {what}. Set it for {where} alone."
        )
