from django.db import migrations, models

# Pictures kept before are files already. Frames among them were kept without a mark and unsealed: they stay what they
# are, pictures of their artist, without the link to their clip.
KEEP = "UPDATE generation_reference SET made_at = created_at, source_id = NULL, frame = NULL"


class Migration(migrations.Migration):
    dependencies = [
        ("generation", "0011_marks"),
        ("programme", "0004_mark_styles"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="reference",
            name="reference_has_digest",
        ),
        migrations.AddField(
            model_name="reference",
            name="made_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="reference",
            name="native_key",
            field=models.CharField(blank=True, help_text="of the sealed frame", max_length=200),
        ),
        migrations.AddField(
            model_name="reference",
            name="native_sha256",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="reference",
            name="tries",
            field=models.PositiveSmallIntegerField(default=0, help_text="to make it"),
        ),
        migrations.AlterField(
            model_name="reference",
            name="bytes",
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="reference",
            name="sha256",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddIndex(
            model_name="reference",
            index=models.Index(
                condition=models.Q(("made_at", None), ("removed_at", None)),
                fields=["id"],
                name="reference_unmade",
            ),
        ),
        migrations.RunSQL(KEEP, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="reference",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("height__gt", 0),
                    ("width__gt", 0),
                    models.Q(
                        models.Q(("bytes__gt", 0), ("made_at__isnull", False), ("sha256__length", 64)),
                        models.Q(("bytes", 0), ("made_at", None), ("sha256", ""), ("source__isnull", False)),
                        _connector="OR",
                    ),
                ),
                name="reference_has_digest",
            ),
        ),
        migrations.AddConstraint(
            model_name="reference",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("native_key", ""), ("source", None)),
                    models.Q(("made_at", None), ("native_key", ""), ("source__isnull", False)),
                    models.Q(
                        ("made_at__isnull", False),
                        ("native_sha256__length", 64),
                        ("source__isnull", False),
                        models.Q(("native_key", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="reference_frame_is_sealed",
            ),
        ),
    ]
