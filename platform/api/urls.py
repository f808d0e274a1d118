"""The addresses of `/v1`. Whatever is not here answers in the API's own words, too."""

from __future__ import annotations

from django.urls import path, re_path

from api.views import about, files, reviews, shares, videos

app_name = "api"
urlpatterns = [
    path("videos", videos.Videos.as_view()),
    path("videos/<str:video>", videos.OneVideo.as_view()),
    path("videos/<str:video>/cancel", videos.Cancel.as_view()),
    path("videos/<str:video>/content", files.VideoContent.as_view()),
    path("videos/<str:video>/share", shares.Share.as_view()),
    path("shares", shares.Shares.as_view()),
    path("shares/<str:share>/revoke", shares.Revoke.as_view()),
    path("review/cases", reviews.Cases.as_view()),
    path("review/claim", reviews.Claim.as_view()),
    path("review/cases/<str:case>", reviews.OneCase.as_view()),
    path("review/cases/<str:case>/content", files.CaseContent.as_view()),
    path("review/cases/<str:case>/keep", reviews.Keep.as_view()),
    path("review/cases/<str:case>/release", reviews.Release.as_view()),
    path("review/cases/<str:case>/decide", reviews.Decide.as_view()),
    path("models", about.Models.as_view()),
    path("models/<str:model>", about.OneModel.as_view()),
    path("policy", about.Policy.as_view()),
    path("me", about.Me.as_view()),
    path("problems/<str:code>", about.Problem.as_view()),
    re_path(r"", about.Unknown.as_view()),
]
