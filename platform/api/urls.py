"""The addresses of `/v1`. Whatever is not here answers in the API's own words, too."""

from __future__ import annotations

from django.urls import path, re_path, register_converter

from api.views import about, checks, files, lineage, looks, reviews, shares, videos


class IdConverter:
    """Public ids, slugs and codes; what cannot be one never reaches the database."""

    regex = "[A-Za-z0-9._-]{1,80}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(IdConverter, "id")

app_name = "api"
urlpatterns = [
    path("videos", videos.Videos.as_view()),
    path("videos/characters", looks.Characters.as_view()),
    path("videos/characters/<id:character>", looks.OneCharacter.as_view()),
    path("videos/edits", lineage.Edits.as_view()),
    path("videos/extensions", lineage.Extensions.as_view()),
    path("videos/<id:video>", videos.OneVideo.as_view()),
    path("videos/<id:video>/cancel", videos.Cancel.as_view()),
    path("videos/<id:video>/content", files.VideoContent.as_view()),
    path("videos/<id:video>/remix", lineage.Remix.as_view()),
    path("videos/<id:video>/final", lineage.Final.as_view()),
    path("videos/<id:video>/again", lineage.Again.as_view()),
    path("videos/<id:video>/choice", lineage.Choice.as_view()),
    path("videos/<id:video>/settings", lineage.Settings.as_view()),
    path("videos/<id:video>/lineage", lineage.Lineage.as_view()),
    path("videos/<id:video>/share", shares.Share.as_view()),
    path("requests/<id:order>", lineage.OneRequest.as_view()),
    path("requests/<id:order>/cancel", lineage.CancelRequest.as_view()),
    path("hit-rates", lineage.HitRates.as_view()),
    path("styles", looks.Styles.as_view()),
    path("styles/<id:style>", looks.OneStyle.as_view()),
    path("references", looks.References.as_view()),
    path("references/<id:reference>", looks.OneReference.as_view()),
    path("references/<id:reference>/content", looks.ReferenceContent.as_view()),
    path("shares", shares.Shares.as_view()),
    path("shares/<id:share>/revoke", shares.Revoke.as_view()),
    path("review/cases", reviews.Cases.as_view()),
    path("review/claim", reviews.Claim.as_view()),
    path("review/cases/<id:case>", reviews.OneCase.as_view()),
    path("review/cases/<id:case>/content", files.CaseContent.as_view()),
    path("review/cases/<id:case>/keep", reviews.Keep.as_view()),
    path("review/cases/<id:case>/release", reviews.Release.as_view()),
    path("review/cases/<id:case>/decide", reviews.Decide.as_view()),
    path("models", about.Models.as_view()),
    path("models/<id:model>", about.OneModel.as_view()),
    path("policy", about.Policy.as_view()),
    path("verify", checks.Verify.as_view()),
    path("me", about.Me.as_view()),
    path("problems/<id:code>", about.Problem.as_view()),
    re_path(r"", about.Unknown.as_view()),
]
