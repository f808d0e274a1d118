"""Which of the takes of its forward a clip was: rendered again, it stands there again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generation", "0006_earlier_prompt")]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="place",
            field=models.PositiveSmallIntegerField(
                default=0, help_text="among them, from 0: the bits depend on it"
            ),
        ),
    ]
