import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION generation_keep_mark() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.purpose = 'spare' AND NEW.purpose NOT IN ('spare', 'master')
       AND (NEW.id, NEW.number, NEW.codeword, NEW.master_id, NEW.key_epoch, NEW.made_at)
           = (OLD.id, OLD.number, OLD.codeword, OLD.master_id, OLD.key_epoch, OLD.made_at) THEN
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
        migrations.CreateModel(
            name="Copy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("master", "the artist's own copy"),
                            ("screening", "a screening copy"),
                            ("export", "an export"),
                            ("token", "a program's download"),
                            ("public", "the public copy"),
                            ("spare", "a copy that nobody was handed yet"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "recipient",
                    models.CharField(blank=True, help_text="the actor that it is for", max_length=80),
                ),
                ("style", models.CharField(help_text="how its visible mark looks", max_length=10)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("making", "being made"),
                            ("ready", "ready"),
                            ("failed", "failed"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("lease_token", models.UUIDField(blank=True, null=True, unique=True)),
                ("lease_expires_at", models.DateTimeField(blank=True, null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("retry_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.TextField(blank=True)),
                ("asked_at", models.DateTimeField()),
                ("made_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name_plural": "copies",
                "ordering": ["id"],
            },
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
                            ("master", "the artist's own copy"),
                            ("screening", "a screening copy"),
                            ("export", "an export"),
                            ("token", "a program's download"),
                            ("public", "the public copy"),
                            ("spare", "a copy that nobody was handed yet"),
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
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="rendition",
            name="rendition_once",
        ),
        migrations.RemoveField(
            model_name="rendition",
            name="audience",
        ),
        migrations.AddField(
            model_name="copy",
            name="master",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="copies", to="generation.master"
            ),
        ),
        migrations.AddField(
            model_name="mark",
            name="master",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="marks", to="generation.master"
            ),
        ),
        migrations.AddField(
            model_name="copy",
            name="mark",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="copy",
                to="generation.mark",
            ),
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
        migrations.AddConstraint(
            model_name="rendition",
            constraint=models.UniqueConstraint(
                fields=("master", "kind", "mark"), name="rendition_once", nulls_distinct=False
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
                condition=models.Q(
                    ("purpose__in", ["master", "screening", "export", "token", "public", "spare"])
                ),
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
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("purpose", "spare"), ("recipient", "")),
                    models.Q(
                        models.Q(("purpose", "spare"), _negated=True),
                        models.Q(("recipient", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="mark_spare_or_somebodys",
            ),
        ),
        migrations.AddConstraint(
            model_name="mark",
            constraint=models.UniqueConstraint(
                condition=models.Q(("purpose", "spare"), _negated=True),
                fields=("master", "purpose", "recipient"),
                name="mark_one_for_each_recipient",
            ),
        ),
        migrations.AddIndex(
            model_name="copy",
            index=models.Index(
                condition=models.Q(("state__in", ["waiting", "making"])), fields=["id"], name="copy_queue"
            ),
        ),
        migrations.AddConstraint(
            model_name="copy",
            constraint=models.UniqueConstraint(
                condition=models.Q(("purpose", "spare"), _negated=True),
                fields=("master", "purpose", "recipient"),
                name="copy_one_for_each_recipient",
            ),
        ),
        migrations.AddConstraint(
            model_name="copy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("purpose", "spare"), ("recipient", "")),
                    models.Q(
                        models.Q(("purpose", "spare"), _negated=True),
                        models.Q(("recipient", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="copy_spare_or_somebodys",
            ),
        ),
        migrations.AddConstraint(
            model_name="copy",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["waiting", "making", "ready", "failed"])),
                name="copy_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="copy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("made_at__isnull", False), ("mark__isnull", False), ("state", "ready")),
                    models.Q(models.Q(("state", "ready"), _negated=True), ("made_at", None), ("mark", None)),
                    _connector="OR",
                ),
                name="copy_ready_has_its_mark",
            ),
        ),
        migrations.AddConstraint(
            model_name="copy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("lease_expires_at__isnull", False),
                        ("lease_token__isnull", False),
                        ("state", "making"),
                    ),
                    models.Q(
                        models.Q(("state", "making"), _negated=True),
                        ("lease_expires_at", None),
                        ("lease_token", None),
                    ),
                    _connector="OR",
                ),
                name="copy_making_has_a_lease",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
