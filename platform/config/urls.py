from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from config import health, metrics

admin.site.site_header = "Private View"
admin.site.site_title = "Private View"
# One door for signing in, with one limit on how often it may be tried.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # as allauth documents it

urlpatterns = [
    path("health", health.view, name="health"),
    path("metrics", metrics.view, name="metrics"),
    path("admin/", admin.site.urls),
    path("v1/", include("api.urls")),
    path("accounts/", include("portal.account_urls")),
    path("", include("gallery.urls")),
    path("", include("portal.urls")),
]
handler400 = "portal.errors.bad_request"
handler403 = "portal.errors.forbidden"
handler404 = "portal.errors.not_found"
handler500 = "portal.errors.server_error"
