from django.db import migrations, models

# Of clips that are finished the variant of today is the best that is known (`rules.told_checkpoint`).
FILL = """
UPDATE generation_attempt attempt
SET variant_name = variant.name,
    model = CASE
        WHEN variant.backend = 'remote' THEN coalesce(nullif(split_part(variant.checkpoint, '#', 2), ''), 'remote')
        WHEN variant.checkpoint ~ '^[/.~]' THEN regexp_replace(rtrim(variant.checkpoint, '/'), '^.*/', '')
        ELSE variant.checkpoint
    END
FROM generation_video video JOIN generation_modelvariant variant ON variant.id = video.variant_id
WHERE video.id = attempt.video_id AND attempt."end" = 'finished'
"""


class Migration(migrations.Migration):
    dependencies = [
        ("generation", "0015_copies_and_their_marks"),
    ]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="model",
            field=models.CharField(
                blank=True, default="", help_text="what may be told of the checkpoint's name", max_length=300
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="attempt",
            name="variant_name",
            field=models.CharField(
                blank=True, default="", help_text="as the variant was called then", max_length=60
            ),
            preserve_default=False,
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
