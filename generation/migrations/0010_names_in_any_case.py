"""A style's and a character's name is there once for its owner, however it is written.

Of names that differ in their letters' case only, the oldest stays as it is and later ones get a number behind them.
"""

from django.db import migrations, models
from django.db.models.functions import Lower

_NUMBER = """
UPDATE {table} later SET name = left(later.name, 45) || ' ' || later.id
WHERE later.{gone} IS NULL AND EXISTS (
    SELECT 1 FROM {table} older
    WHERE older.{gone} IS NULL AND older.id < later.id AND lower(older.name) = lower(later.name)
      AND older.membership_id IS NOT DISTINCT FROM later.membership_id {same}
)
"""


def _once(name: str, owner: str, **condition: object) -> models.UniqueConstraint:
    return models.UniqueConstraint(Lower("name"), owner, condition=models.Q(**condition), name=name)


class Migration(migrations.Migration):
    dependencies = [("generation", "0009_rates")]

    operations = [
        migrations.RemoveConstraint("stylepreset", "style_name_once_in_programme"),
        migrations.RemoveConstraint("stylepreset", "style_name_once_for_member"),
        migrations.RemoveConstraint("character", "character_name_once"),
        migrations.RunSQL(
            _NUMBER.format(
                table="generation_stylepreset",
                gone="retired_at",
                same="AND older.programme_id = later.programme_id",
            ),
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            _NUMBER.format(table="generation_character", gone="removed_at", same=""),
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            "stylepreset",
            _once("style_name_once_in_programme", "programme", membership=None, retired_at=None),
        ),
        migrations.AddConstraint(
            "stylepreset",
            _once("style_name_once_for_member", "membership", membership__isnull=False, retired_at=None),
        ),
        migrations.AddConstraint("character", _once("character_name_once", "membership", removed_at=None)),
    ]
