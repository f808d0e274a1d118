from django.db import migrations, models

FOUND = """
UPDATE generation_copy copy
SET found_at = trace.ended_at
FROM generation_mark mark, generation_trace trace
WHERE mark.id = copy.mark_id AND copy.purpose = 'spare' AND mark.number = ANY(trace.numbers)
"""


class Migration(migrations.Migration):
    dependencies = [("generation", "0017_who_gets_a_copy")]

    operations = [
        migrations.AddField(
            model_name="copy",
            name="found_at",
            field=models.DateTimeField(
                blank=True,
                help_text="when a spare's number was read in a file, while it was nobody's",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="copy",
            name="handed_at",
            field=models.DateTimeField(
                blank=True, help_text="when a spare that was ready became somebody's", null=True
            ),
        ),
        migrations.RunSQL(FOUND, migrations.RunSQL.noop),
    ]
