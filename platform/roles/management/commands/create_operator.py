from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.queries import by_email
from accounts.services import people
from audit import log
from core import clock
from core.actors import system
from core.errors import DomainError
from roles.roles import Role
from roles.services import grants


class Command(BaseCommand):
    help = "Make somebody an operator of this installation; makes the account where there is none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the password of a new account from the first line",
        )

    def handle(self, *args: Any, email: str, password_stdin: bool, **options: Any) -> None:
        found = by_email(email)
        password = None if found else _password(from_stdin=password_stdin)
        by, now = system("create_operator"), clock.now()
        try:
            with log.transaction():
                who = found or people.create(email=email, password=password, by=by, now=now)
                if not found:
                    people.verify_email(user_id=who.id, email=who.email, by=by, now=now)
                new = grants.grant(user_id=who.id, role=Role.OPERATOR, by=by, now=now)
        except DomainError as refusal:
            raise CommandError(refusal.sentence) from None
        if not new:
            self.stdout.write(f"{who.email} is an operator already. Nothing was changed.")
        elif found:
            self.stdout.write(
                f"{who.email} is an operator now and signs in with the password of that account."
            )
        else:
            self.stdout.write(f"{who.email} is an operator now. Sign in to begin.")


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise CommandError("There is no terminal to ask for a password: send it with --password-stdin.")
    password = getpass.getpass("Password: ")
    if getpass.getpass("The same again: ") != password:
        raise CommandError("The two are not the same. Nothing was made.")
    return password
