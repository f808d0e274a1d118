from __future__ import annotations

from django.urls import include, path

from portal import home, theme
from portal.artist import (
    characters,
    clip,
    invitation,
    lineage,
    share,
    studio,
    styles,
    takes,
    tiles,
    tokens,
    welcome,
)

app_name = "portal"
urlpatterns = [
    path("home", home.show, name="home"),
    path("light", theme.choose, name="light"),
    path("invitation/<str:secret>", invitation.show, name="invitation"),
    path("welcome", welcome.show, name="welcome"),
    path("studio", studio.show, name="studio"),
    path("studio/membership", home.switch, name="switch"),
    path("studio/shared", share.shared, name="shared"),
    path("studio/terms", welcome.terms_page, name="terms"),
    path("studio/tokens", tokens.show, name="tokens"),
    path("studio/tokens/<str:token>/revoke", tokens.revoke, name="token_revoke"),
    path("studio/styles", styles.show, name="styles"),
    path("studio/styles/<str:style>", styles.edit, name="style"),
    path("studio/styles/<str:style>/retire", styles.retire, name="style_retire"),
    path("studio/characters", characters.show, name="characters"),
    path("studio/characters/<str:character>", characters.edit, name="character"),
    path("studio/characters/<str:character>/remove", characters.remove, name="character_remove"),
    path("studio/pictures/<str:reference>.png", characters.picture, name="picture"),
    path("studio/pictures/<str:reference>/remove", characters.remove_picture, name="picture_remove"),
    path("studio/takes/<str:order>", takes.show, name="takes"),
    path("studio/takes/<str:order>/stack", tiles.stack, name="stack"),
    path("studio/takes/<str:order>/stop", takes.stop, name="takes_stop"),
    path("studio/clips/<str:video>", clip.show, name="clip"),
    path("studio/clips/<str:video>/state", clip.state, name="clip_state"),
    path("studio/clips/<str:video>/tile", tiles.tile, name="clip_tile"),
    path("studio/clips/<str:video>/choice", takes.choose, name="clip_choice"),
    path("studio/clips/<str:video>/make/<str:verb>", lineage.make, name="clip_make"),
    path("studio/clips/<str:video>/frame", lineage.frame, name="clip_frame"),
    path("studio/clips/<str:video>/settings.json", lineage.settings, name="clip_settings"),
    path("studio/clips/<str:video>/stop", clip.stop, name="clip_stop"),
    path("studio/clips/<str:video>/delete", clip.delete, name="clip_delete"),
    path("studio/clips/<str:video>/share", share.ask, name="clip_share"),
    path("studio/clips/<str:video>/withdraw", share.withdraw, name="clip_withdraw"),
    path("studio/clips/<str:video>/take-back", share.take_back, name="clip_take_back"),
    path("studio/clips/<str:video>/<str:name>", clip.file, name="clip_file"),
    path("", include("portal.desk.urls")),
    path("", include("portal.office.urls")),
]
