"""Copies of deep lines; and a line is planned once a connection, which takes longer than running it."""

import django.db.models.deletion
from django.db import migrations, models

_LINE = "ALTER FUNCTION generation_line(varchar, timestamptz, bigint)"
_TOLD = """
CREATE FUNCTION generation_told(asked varchar, member bigint, at timestamptz)
RETURNS TABLE (video_id bigint, place bigint, wait float8, busy float8)
LANGUAGE plpgsql STABLE ROWS 50 SET plan_cache_mode = force_generic_plan AS $$
-- The line of the queue `asked`, with at least what waits of `member`: counted now or, of a deep queue, as copied last.
BEGIN
    IF EXISTS (SELECT 1 FROM generation_place copied WHERE copied.queue = asked) THEN
        RETURN QUERY
        SELECT copied.video_id, copied.place::bigint, copied.wait, copied.busy
        FROM generation_video video JOIN generation_place copied ON copied.video_id = video.id
        WHERE video.state = 'queued' AND video.membership_id = member AND copied.queue = asked;
    ELSE
        RETURN QUERY SELECT * FROM generation_line(asked, at);
    END IF;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("generation", "0004_the_line")]

    operations = [
        migrations.CreateModel(
            name="Place",
            fields=[
                (
                    "video",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="generation.video",
                    ),
                ),
                ("queue", models.CharField(db_index=True, max_length=40)),
                ("place", models.PositiveIntegerField()),
                ("wait", models.FloatField(help_text="seconds", null=True)),
                ("busy", models.FloatField(help_text="seconds", null=True)),
            ],
        ),
        migrations.RunSQL(
            f"{_LINE} SET plan_cache_mode = force_generic_plan", f"{_LINE} RESET plan_cache_mode"
        ),
        migrations.RunSQL(_TOLD, "DROP FUNCTION generation_told(varchar, bigint, timestamptz)"),
    ]
