from __future__ import annotations

from django.urls import path

from portal.desk import cases, deciding, queue
from portal.office import staff_tokens

app_name = "desk"
urlpatterns = [
    path("", queue.show, name="queue"),
    path("/next", queue.take, name="next"),
    path("/decided", queue.decided, name="decided"),
    path("/tokens", staff_tokens.desk, name="tokens"),
    path("/tokens/<str:token>/revoke", staff_tokens.desk_revoke, name="token_revoke"),
    path("/cases/<str:case>", cases.show, name="case"),
    path("/cases/<str:case>/keep", cases.keep, name="keep"),
    path("/cases/<str:case>/hand-back", cases.hand_back, name="hand_back"),
    path("/cases/<str:case>/decide", deciding.decide, name="decide"),
    path("/cases/<str:case>/<str:name>", cases.file, name="file"),
]
