from __future__ import annotations

from django.urls import path

from gallery import checks, pages

app_name = "gallery"
urlpatterns = [
    path("", pages.wall, name="wall"),
    path("policy", pages.policy, name="policy"),
    path("check", checks.check, name="check"),
    path("terms", pages.terms, name="terms"),
    path("s/<str:share>", pages.share, name="share"),
    path("s/<str:share>/<str:name>", pages.file, name="file"),
]
