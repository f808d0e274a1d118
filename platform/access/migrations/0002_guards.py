"""A token's membership is its person's own."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("access", "0001_initial"), ("programme", "0002_guards")]
    operations = [
        migrations.RunSQL(
            """
            ALTER TABLE access_apitoken ADD CONSTRAINT token_membership_of_user
                FOREIGN KEY (membership_id, user_id) REFERENCES programme_membership (id, user_id);
            """,
            "ALTER TABLE access_apitoken DROP CONSTRAINT token_membership_of_user;",
        ),
    ]
