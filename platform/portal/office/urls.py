from __future__ import annotations

from django.urls import path

from portal.office import (
    clips,
    cohorts,
    invitations,
    log,
    members,
    rendering,
    rulebook,
    shares,
    staff_tokens,
    today,
    tokens,
    traces,
)

app_name = "office"
urlpatterns = [
    path("office", today.show, name="today"),
    path("office/programme", rulebook.begin, name="programme"),
    path("office/terms", rulebook.terms_page, name="terms"),
    path("office/policy", rulebook.policy_page, name="policy"),
    path("office/cohorts", cohorts.show, name="cohorts"),
    path("office/cohorts/<str:cohort>", cohorts.change, name="cohort"),
    path("office/invitations", invitations.show, name="invitations"),
    path("office/invitations/<str:invitation>/revoke", invitations.revoke, name="invitation_revoke"),
    path("office/members", members.show, name="members"),
    path("office/members/<str:member>/suspend", members.suspend, name="member_suspend"),
    path("office/members/<str:member>/reinstate", members.reinstate, name="member_reinstate"),
    path("office/shares", shares.show, name="shares"),
    path("office/shares/<str:share>/revoke", shares.revoke, name="share_revoke"),
    path("office/clips/<str:video>", clips.show, name="clip"),
    path("office/clips/<str:video>/player", clips.player, name="clip_player"),
    path("office/clips/<str:video>/<str:name>", clips.file, name="clip_file"),
    path("office/traces", traces.show, name="traces"),
    path("office/traces/<str:trace>", traces.one, name="trace"),
    path("office/traces/<str:trace>/answer", traces.answer, name="trace_answer"),
    path("office/traces/<str:trace>/cancel", traces.cancel, name="trace_cancel"),
    path("office/traces/<str:trace>/confirm", traces.confirm, name="trace_confirm"),
    path("office/traces/<str:trace>/<str:name>.png", traces.picture, name="trace_picture"),
    path("office/rendering", rendering.show, name="rendering"),
    path("office/styles", rendering.styles_page, name="styles"),
    path("office/styles/<str:style>/retire", rendering.style_retire, name="style_retire"),
    path("office/adapters", rendering.adapter_add, name="adapter_add"),
    path("office/adapters/<str:adapter>/retire", rendering.adapter_retire, name="adapter_retire"),
    path("office/tokens", tokens.show, name="tokens"),
    path("office/tokens/<str:token>/revoke", tokens.revoke, name="token_revoke"),
    path("office/staff-tokens", staff_tokens.office, name="staff_tokens"),
    path("office/staff-tokens/<str:token>/revoke", staff_tokens.office_revoke, name="staff_token_revoke"),
    path("office/log", log.show, name="log"),
]
