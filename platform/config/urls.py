from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from config import health

admin.site.site_header = "Private View"
admin.site.site_title = "Private View"

urlpatterns = [
    path("health", health.view, name="health"),
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
