from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("programme", "0004_mark_styles"),
    ]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="credited",
            field=models.BooleanField(
                default=False,
                db_default=False,
                help_text="the public name is written into the Content Credentials of files made from now on",
            ),
        ),
    ]
