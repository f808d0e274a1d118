"""What a clip's source was told completes what the clip's own prompt leaves open."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generation", "0005_deep_lines")]

    operations = [
        migrations.AddField(
            model_name="video",
            name="earlier_prompt",
            field=models.TextField(
                blank=True, default="", help_text="what the model was told for the clip that it comes from"
            ),
            preserve_default=False,
        ),
    ]
