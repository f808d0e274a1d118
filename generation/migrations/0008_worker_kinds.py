"""A worker's kind names its hardware and its memory rung as well."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generation", "0007_attempt_place")]

    operations = [
        migrations.AlterField(
            "attempt",
            "worker_kind",
            models.CharField(
                blank=True, help_text="hardware, dtype, rung and versions: equal bits", max_length=160
            ),
        ),
        migrations.AlterField(
            "worker",
            "kind",
            models.CharField(
                blank=True, help_text="hardware, dtype, rung and versions: equal bits", max_length=160
            ),
        ),
        migrations.AlterField(
            "pace", "kind", models.CharField(blank=True, help_text="of the worker", max_length=160)
        ),
    ]
