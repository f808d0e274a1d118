from django.db import migrations, models

# What is being made at this moment has no mark yet: it is taken up anew, and its worker finds its lease gone.
BEGIN_AGAIN = """
UPDATE generation_copy SET state = 'waiting', lease_token = NULL, lease_expires_at = NULL WHERE state = 'making'
"""

# Deferred, for a spare and its mark learn one after the other whose they are.
FORWARD = """
ALTER TABLE generation_copy ADD CONSTRAINT copy_agrees_with_its_mark
    FOREIGN KEY (mark_id, master_id, purpose, recipient)
    REFERENCES generation_mark (id, master_id, purpose, recipient) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE generation_rendition ADD CONSTRAINT rendition_agrees_with_its_mark
    FOREIGN KEY (mark_id, master_id) REFERENCES generation_mark (id, master_id) DEFERRABLE INITIALLY DEFERRED;
"""

BACKWARD = """
ALTER TABLE generation_rendition DROP CONSTRAINT rendition_agrees_with_its_mark;
ALTER TABLE generation_copy DROP CONSTRAINT copy_agrees_with_its_mark;
"""


class Migration(migrations.Migration):
    dependencies = [("generation", "0014_file_digests")]

    operations = [
        migrations.RemoveConstraint(model_name="copy", name="copy_ready_has_its_mark"),
        migrations.RunSQL(BEGIN_AGAIN, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="copy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("made_at__isnull", False), ("mark__isnull", False), ("state", "ready")),
                    models.Q(("made_at", None), ("mark__isnull", False), ("state", "making")),
                    models.Q(models.Q(("state__in", ["ready", "making"]), _negated=True), ("made_at", None)),
                    _connector="OR",
                ),
                name="copy_begun_has_its_mark",
            ),
        ),
        migrations.AddConstraint(
            model_name="mark",
            constraint=models.CheckConstraint(
                condition=models.Q(("codeword__length", 8)), name="mark_codeword_has_8_bytes"
            ),
        ),
        migrations.AddConstraint(
            model_name="mark",
            constraint=models.UniqueConstraint(fields=("id", "master"), name="mark_of_master"),
        ),
        migrations.AddConstraint(
            model_name="mark",
            constraint=models.UniqueConstraint(
                fields=("id", "master", "purpose", "recipient"), name="mark_of_master_for_recipient"
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
