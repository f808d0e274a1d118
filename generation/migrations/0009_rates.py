"""A variant makes clips at 24 or 30 frames a second, or lets the artist choose."""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

import generation.models.variants


class Migration(migrations.Migration):
    dependencies = [("generation", "0008_worker_kinds")]

    operations = [
        migrations.AddField(
            "modelvariant",
            "rates",
            ArrayField(
                models.PositiveSmallIntegerField(),
                default=generation.models.variants.default_rates,
                help_text="frames a second, 24 or 30 or both; the first is the default",
                size=None,
            ),
        ),
        migrations.RunSQL(
            "UPDATE generation_modelvariant SET rates = ARRAY[fps]",
            "UPDATE generation_modelvariant SET fps = rates[1]",
        ),
        migrations.RemoveConstraint("modelvariant", "variant_fps_24_or_30"),
        migrations.RemoveConstraint("modelvariant", "variant_has_defaults"),
        migrations.RemoveField("modelvariant", "fps"),
        migrations.AddConstraint(
            "modelvariant",
            models.CheckConstraint(
                condition=models.Q(("rates__contained_by", [24, 30])), name="variant_rates_24_or_30"
            ),
        ),
        migrations.AddConstraint(
            "modelvariant",
            models.CheckConstraint(
                condition=models.Q(("lengths__len__gte", 1), ("rates__len__gte", 1), ("sizes__len__gte", 1)),
                name="variant_has_defaults",
            ),
        ),
    ]
