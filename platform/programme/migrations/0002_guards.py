"""Terms, acceptances and the quota ledger only grow; a membership's cohort is one of its programme."""

from __future__ import annotations

from django.db import migrations

TABLES = ("programme_termsversion", "programme_termsacceptance", "programme_quotaentry")


def append_only(table: str) -> tuple[str, str]:
    forward = f"""
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
    """
    backward = f"""
        DROP TRIGGER {table}_append_only ON {table};
        DROP TRIGGER {table}_no_truncate ON {table};
    """
    return forward, backward


class Migration(migrations.Migration):
    dependencies = [("programme", "0001_initial"), ("audit", "0002_triggers")]
    operations = [
        *[migrations.RunSQL(*append_only(table)) for table in TABLES],
        migrations.RunSQL(
            """
            ALTER TABLE programme_membership ADD CONSTRAINT membership_cohort_of_programme
                FOREIGN KEY (cohort_id, programme_id) REFERENCES programme_cohort (id, programme_id);
            """,
            "ALTER TABLE programme_membership DROP CONSTRAINT membership_cohort_of_programme;",
        ),
    ]
