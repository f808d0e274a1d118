from __future__ import annotations

from django.urls import path

from portal.desk import cases, deciding, queue
from portal.office import staff_tokens

app_name = "desk"
urlpatterns = [
    path("desk", queue.show, name="queue"),
    path("desk/next", queue.take, name="next"),
    path("desk/decided", queue.decided, name="decided"),
    path("desk/tokens", staff_tokens.desk, name="tokens"),
    path("desk/tokens/<str:token>/revoke", staff_tokens.desk_revoke, name="token_revoke"),
    path("desk/cases/<str:case>", cases.show, name="case"),
    path("desk/cases/<str:case>/keep", cases.keep, name="keep"),
    path("desk/cases/<str:case>/hand-back", cases.hand_back, name="hand_back"),
    path("desk/cases/<str:case>/decide", deciding.decide, name="decide"),
    path("desk/cases/<str:case>/player", cases.player, name="player"),
    path("desk/cases/<str:case>/<str:name>", cases.file, name="file"),
]
