import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION generation_keep_mark() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.recipient = '' AND NEW.recipient <> ''
       AND (NEW.id, NEW.number, NEW.codeword, NEW.master_id, NEW.purpose, NEW.key_epoch, NEW.made_at)
           = (OLD.id, OLD.number, OLD.codeword, OLD.master_id, OLD.purpose, OLD.key_epoch, OLD.made_at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a mark is kept as it was made: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER mark_is_kept BEFORE UPDATE OR DELETE ON generation_mark
    FOR EACH ROW EXECUTE FUNCTION generation_keep_mark();
CREATE TRIGGER mark_no_truncate BEFORE TRUNCATE ON generation_mark
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

BACKWARD = """
DROP TRIGGER mark_is_kept ON generation_mark;
DROP TRIGGER mark_no_truncate ON generation_mark;
DROP FUNCTION generation_keep_mark();
"""


class Migration(migrations.Migration):
    dependencies = [("generation", "0010_names_in_any_case"), ("audit", "0002_triggers")]

    operations = [
        migrations.AlterField(
            model_name="rendition",
            name="audience",
            field=models.CharField(default="master", help_text="for whom this copy was made", max_length=90),
        ),
        migrations.CreateModel(
            name="Mark",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.BigIntegerField(help_text="random, below 2**32", unique=True)),
                ("codeword", models.BinaryField(max_length=8)),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("master", "the artist's own"),
                            ("screening", "a reviewer's screening copy"),
                            ("export", "an export"),
                            ("token", "a program's download"),
                            ("public", "the public rendition"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "recipient",
                    models.CharField(
                        blank=True,
                        help_text="the actor that the copy was made for; empty until it is handed out",
                        max_length=80,
                    ),
                ),
                ("key_epoch", models.CharField(max_length=24)),
                ("made_at", models.DateTimeField()),
                (
                    "master",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="marks",
                        to="generation.master",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="rendition",
            name="mark",
            field=models.ForeignKey(
                help_text="the number in its frames; none where every clip has the same ones, as in benchmarks",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="renditions",
                to="generation.mark",
            ),
        ),
        migrations.AddIndex(
            model_name="mark",
            index=models.Index(fields=["key_epoch"], name="mark_of_epoch"),
        ),
        migrations.AddConstraint(
            model_name="mark",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__gte", 0), ("number__lt", 4294967296)),
                name="mark_number_has_32_bits",
            ),
        ),
        migrations.AddConstraint(
            model_name="mark",
            constraint=models.CheckConstraint(
                condition=models.Q(("purpose__in", ["master", "screening", "export", "token", "public"])),
                name="mark_purpose_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="mark",
            constraint=models.CheckConstraint(
                condition=models.Q(("key_epoch", ""), _negated=True), name="mark_has_a_key"
            ),
        ),
        migrations.AddConstraint(
            model_name="mark",
            constraint=models.UniqueConstraint(
                fields=("master", "purpose", "recipient"), name="mark_one_for_each_recipient"
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
