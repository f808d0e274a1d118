"""Gives a database back its state right after the migrations, under the feet of processes that stay connected.

Tests that commit (journeys, races, workers) cannot be rolled back, and Django's own way, TRUNCATE, is refused
by the append-only tables and would lose the rows that migrations made. The superuser can set triggers and
foreign keys aside for one transaction; deleting few rows from many tables is quicker than truncating them.
"""

from __future__ import annotations

import time
from typing import LiteralString

import psycopg
from psycopg import errors, sql

_TABLES: LiteralString = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY c.relname
"""
_SEQUENCES: LiteralString = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'"
_OTHERS: LiteralString = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND state IN ('idle in transaction', 'idle in transaction (aborted)')
"""


class Baseline:
    """A copy of every row that the migrations left, kept beside the tables in a schema of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP SCHEMA IF EXISTS baseline CASCADE")
            connection.execute("CREATE SCHEMA baseline")
            self.tables = [str(row[0]) for row in connection.execute(_TABLES)]
            self.sequences = [(str(row[0]), row[1]) for row in connection.execute(_SEQUENCES)]
            self.filled = [name for name in self.tables if self._keep(connection, name)]

    def restore(self, *, patience: float = 10.0) -> None:
        """Sessions that sit in an open transaction are ended when they are in the way for a second."""
        deadline = time.monotonic() + patience
        while True:
            try:
                with psycopg.connect(self.url) as connection:
                    self._restore(connection)
                return
            except (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure):
                if time.monotonic() > deadline:
                    raise
                with psycopg.connect(self.url, autocommit=True) as connection:
                    connection.execute(_OTHERS)

    @staticmethod
    def _keep(connection: psycopg.Connection[tuple[object, ...]], name: str) -> bool:
        kept, table = sql.Identifier("baseline", name), sql.Identifier("public", name)
        connection.execute(sql.SQL("CREATE TABLE {} AS TABLE {}").format(kept, table))
        return connection.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(kept)).fetchone() is not None

    def _restore(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("SET LOCAL lock_timeout = '1s'")
        deletes = [sql.SQL("DELETE FROM {};").format(sql.Identifier("public", name)) for name in self.tables]
        inserts = [
            sql.SQL("INSERT INTO {} OVERRIDING SYSTEM VALUE TABLE {};").format(
                sql.Identifier("public", name), sql.Identifier("baseline", name)
            )
            for name in self.filled
        ]
        counters = [
            sql.SQL("SELECT setval({}, {}, {});").format(
                sql.Literal(f'public."{name}"'),
                sql.Literal(1 if last is None else last),
                sql.Literal(last is not None),
            )
            for name, last in self.sequences
        ]
        connection.execute(sql.SQL("").join([*deletes, *inserts, *counters]))
