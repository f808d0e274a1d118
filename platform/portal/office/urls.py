from __future__ import annotations

from django.urls import path

from portal.office import clips, cohorts, invitations, log, members, shares, staff_tokens, today, tokens

app_name = "office"
urlpatterns = [
    path("", today.show, name="today"),
    path("/cohorts", cohorts.show, name="cohorts"),
    path("/cohorts/<str:cohort>", cohorts.change, name="cohort"),
    path("/invitations", invitations.show, name="invitations"),
    path("/invitations/<str:invitation>/revoke", invitations.revoke, name="invitation_revoke"),
    path("/members", members.show, name="members"),
    path("/members/<str:member>/suspend", members.suspend, name="member_suspend"),
    path("/members/<str:member>/reinstate", members.reinstate, name="member_reinstate"),
    path("/shares", shares.show, name="shares"),
    path("/shares/<str:share>/revoke", shares.revoke, name="share_revoke"),
    path("/clips/<str:video>", clips.show, name="clip"),
    path("/clips/<str:video>/<str:name>", clips.file, name="clip_file"),
    path("/tokens", tokens.show, name="tokens"),
    path("/tokens/<str:token>/revoke", tokens.revoke, name="token_revoke"),
    path("/staff-tokens", staff_tokens.office, name="staff_tokens"),
    path("/staff-tokens/<str:token>/revoke", staff_tokens.office_revoke, name="staff_token_revoke"),
    path("/log", log.show, name="log"),
]
