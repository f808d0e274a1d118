from django.db import migrations, models
from django.db.models import Q

# Whose each copy was is told as it was when the file was looked into; of earlier traces, as it is now.
RECIPIENTS = """
UPDATE generation_trace trace
SET recipients = (
    SELECT coalesce(jsonb_object_agg(lpad(to_hex(mark.number), 8, '0'), mark.recipient), '{}')
    FROM generation_mark mark WHERE mark.number = ANY(trace.numbers)
)
WHERE cardinality(numbers) > 0
"""

# Whom a copy names stands in its files alone: what is made ahead is as the artist wishes it today, or not handed out.
AUTHORS = """
UPDATE generation_copy copy
SET author = person.public_name
FROM generation_master master
JOIN generation_video video ON video.id = master.video_id
JOIN programme_membership member ON member.id = video.membership_id
JOIN accounts_user person ON person.id = member.user_id
WHERE copy.master_id = master.id AND copy.mark_id IS NOT NULL AND member.credited
"""

# Native frames that were kept before there were marks lie in the open. They go: a clip that was finished then has no
# frames to take any more, and says so.
UNSEALED = """
WITH old AS (
    SELECT master.id, master.source_key FROM generation_master master
    WHERE master.source_key <> '' AND master.source_key NOT LIKE '%.sealed'
), told AS (
    INSERT INTO audit_outboxevent (topic, payload, created_at, due_at, attempts, last_error)
    SELECT 'generation.purge', jsonb_build_object('keys', jsonb_build_array(old.source_key)), now(), now(), 0, ''
    FROM old
)
UPDATE generation_master master SET source_key = '', source_sha256 = '', source_bytes = 0
FROM old WHERE old.id = master.id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("generation", "0016_what_made_a_clip"),
        ("programme", "0005_membership_credited"),
        ("audit", "0002_triggers"),
    ]

    operations = [
        migrations.AddField(
            model_name="copy",
            name="author",
            field=models.CharField(
                blank=True,
                default="",
                help_text="whom its files name, from the first try on",
                max_length=150,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="copy",
            name="handed_at",
            field=models.DateTimeField(blank=True, help_text="when a spare became somebody's", null=True),
        ),
        migrations.AddField(
            model_name="reference",
            name="lease_token",
            field=models.UUIDField(
                blank=True, help_text="of the worker that is at it", null=True, unique=True
            ),
        ),
        migrations.AddField(
            model_name="reference",
            name="retry_at",
            field=models.DateTimeField(blank=True, help_text="when another may be", null=True),
        ),
        migrations.AddConstraint(
            model_name="reference",
            constraint=models.CheckConstraint(
                condition=Q(("made_at", None), ("lease_token", None), _connector="OR"),
                name="reference_made_has_no_lease",
            ),
        ),
        migrations.RemoveConstraint(model_name="rendition", name="rendition_once"),
        migrations.AddConstraint(
            model_name="rendition",
            constraint=models.UniqueConstraint(
                condition=Q(("removed_at", None)),
                fields=("master", "kind", "mark"),
                name="rendition_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddField(
            model_name="trace",
            name="recipients",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="by number, whose each copy was when the file was looked into",
            ),
        ),
        migrations.RunSQL(RECIPIENTS, migrations.RunSQL.noop),
        migrations.RunSQL(AUTHORS, migrations.RunSQL.noop),
        migrations.RunSQL(UNSEALED, migrations.RunSQL.noop),
    ]
