"""What the tables refuse by themselves, whoever asks: the services check the same things first, in words."""

from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION review_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""

POLICY = """
CREATE FUNCTION review_policy_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.published_at IS NOT NULL THEN
        RAISE EXCEPTION 'a published policy never changes' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$
"""

REASON = """
CREATE FUNCTION review_reason_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM review_policyversion p WHERE p.published_at IS NOT NULL
        AND (TG_OP <> 'DELETE' AND p.id = NEW.policy_id OR TG_OP <> 'INSERT' AND p.id = OLD.policy_id)
    ) THEN
        RAISE EXCEPTION 'the reasons of a published policy never change' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$
"""

SUBMISSION = """
CREATE FUNCTION review_submission_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT EXISTS (
            SELECT 1 FROM generation_video v JOIN generation_master m ON m.video_id = v.id
            WHERE v.id = NEW.video_id AND m.id = NEW.master_id AND v.membership_id = NEW.membership_id
            AND v.state = 'completed' AND v.deleted_at IS NULL
        ) THEN
            RAISE EXCEPTION 'the master is not of this member''s finished video' USING ERRCODE = 'check_violation';
        END IF;
    ELSE
        IF (NEW.video_id, NEW.master_id, NEW.membership_id, NEW.public_id, NEW.created_at)
            IS DISTINCT FROM (OLD.video_id, OLD.master_id, OLD.membership_id, OLD.public_id, OLD.created_at) THEN
            RAISE EXCEPTION 'a submission keeps its video and master' USING ERRCODE = 'restrict_violation';
        END IF;
        IF OLD.state <> 'changes_asked' AND (NEW.title, NEW.note, NEW.show_prompt, NEW.show_seed, NEW.show_variant)
            IS DISTINCT FROM (OLD.title, OLD.note, OLD.show_prompt, OLD.show_seed, OLD.show_variant) THEN
            RAISE EXCEPTION 'what is reviewed changes only when changes were asked for'
                USING ERRCODE = 'restrict_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$
"""

CASE = """
CREATE FUNCTION review_case_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM review_submission s JOIN programme_membership m ON m.id = s.membership_id
        WHERE s.id = NEW.submission_id AND s.master_id = NEW.master_id
        AND m.user_id = NEW.artist_id AND m.programme_id = NEW.programme_id
    ) THEN
        RAISE EXCEPTION 'a case has its submission''s master, artist and programme' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.submission_id, NEW.master_id, NEW.public_id)
        IS DISTINCT FROM (OLD.submission_id, OLD.master_id, OLD.public_id) THEN
        RAISE EXCEPTION 'a case keeps its master' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""

DECISION = """
CREATE FUNCTION review_decision_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM review_reviewtask t JOIN review_reviewcase c ON c.id = t.case_id
        JOIN generation_master m ON m.id = c.master_id
        JOIN review_policyversion p ON p.programme_id = c.programme_id
        WHERE t.id = NEW.task_id AND c.id = NEW.case_id AND m.frames_sha256 = NEW.master_sha256
        AND p.id = NEW.policy_id AND p.published_at IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'a decision names its task''s case, the digest of its master and a published policy'
            USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT 1 FROM review_reviewcase c WHERE c.id = NEW.case_id AND c.artist_id = NEW.reviewer_id) THEN
        RAISE EXCEPTION 'nobody reviews their own work' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""

DECISION_REASONED = """
CREATE FUNCTION review_decision_reasoned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.outcome <> 'approve'
        AND NOT EXISTS (SELECT 1 FROM review_decisionreason r WHERE r.decision_id = NEW.id) THEN
        RAISE EXCEPTION 'a negative decision names a reason' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$
"""

DECISION_REASON = """
CREATE FUNCTION review_decisionreason_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM review_decision d JOIN review_reasoncode c ON c.policy_id = d.policy_id
        WHERE d.id = NEW.decision_id AND d.outcome <> 'approve' AND c.id = NEW.reason_id AND c.may_be_used
    ) THEN
        RAISE EXCEPTION 'a reason comes from the decision''s policy and is one that may be used'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""

GRANT = """
CREATE FUNCTION review_grant_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a grant stays on record' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NOT EXISTS (
            SELECT 1 FROM review_decision d JOIN review_reviewcase c ON c.id = d.case_id
            JOIN review_submission s ON s.id = c.submission_id
            WHERE d.id = NEW.decision_id AND d.outcome = 'approve' AND s.id = NEW.submission_id
            AND s.video_id = NEW.video_id AND c.master_id = NEW.master_id
        ) THEN
            RAISE EXCEPTION 'a grant follows an approval of this submission''s master'
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.decision_id, NEW.submission_id, NEW.video_id, NEW.master_id, NEW.public_id)
        IS DISTINCT FROM (OLD.decision_id, OLD.submission_id, OLD.video_id, OLD.master_id, OLD.public_id) THEN
        RAISE EXCEPTION 'a grant keeps its decision and master' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state = 'revoked' THEN
        RAISE EXCEPTION 'a revoked grant stays revoked' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.media_epoch < OLD.media_epoch OR (NEW.state <> OLD.state AND NEW.media_epoch = OLD.media_epoch) THEN
        RAISE EXCEPTION 'the media epoch counts up with each change' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""

GRANTED = """
CREATE FUNCTION review_granted_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM review_releasegrant g JOIN generation_rendition r ON r.master_id = g.master_id
        WHERE g.id = NEW.grant_id AND r.id = NEW.rendition_id AND r.sha256 = NEW.sha256 AND g.state <> 'revoked'
    ) THEN
        RAISE EXCEPTION 'a grant covers files of its own master, by their digests' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""

FUNCTIONS = [
    APPEND_ONLY,
    POLICY,
    REASON,
    SUBMISSION,
    CASE,
    DECISION,
    DECISION_REASONED,
    DECISION_REASON,
    GRANT,
    GRANTED,
]
TRIGGERS = [
    ("policy_guard", "UPDATE OR DELETE", "review_policyversion", "review_policy_guard"),
    ("reason_guard", "INSERT OR UPDATE OR DELETE", "review_reasoncode", "review_reason_guard"),
    ("submission_guard", "INSERT OR UPDATE", "review_submission", "review_submission_guard"),
    ("case_guard", "INSERT OR UPDATE", "review_reviewcase", "review_case_guard"),
    ("decision_append_only", "UPDATE OR DELETE", "review_decision", "review_append_only"),
    ("decision_guard", "INSERT", "review_decision", "review_decision_guard"),
    ("decisionreason_append_only", "UPDATE OR DELETE", "review_decisionreason", "review_append_only"),
    ("decisionreason_guard", "INSERT", "review_decisionreason", "review_decisionreason_guard"),
    ("grant_guard", "INSERT OR UPDATE OR DELETE", "review_releasegrant", "review_grant_guard"),
    ("granted_append_only", "UPDATE OR DELETE", "review_grantedrendition", "review_append_only"),
    ("granted_guard", "INSERT", "review_grantedrendition", "review_granted_guard"),
]
APPEND_ONLY_TABLES = [
    "review_decision",
    "review_decisionreason",
    "review_grantedrendition",
    "review_releasegrant",
]
# Deferred, because a decision's reasons are written after it; the audit log's SET CONSTRAINTS fires it.
REASONED = """
CREATE CONSTRAINT TRIGGER decision_reasoned AFTER INSERT ON review_decision
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION review_decision_reasoned()
"""
# Decided tasks leave dead entries at the head of the queue's index: tidy early.
VACUUM = "ALTER TABLE review_reviewtask SET (autovacuum_vacuum_scale_factor = 0.02)"


def _name(function: str) -> str:
    return function.split("FUNCTION ", 1)[1].split("(", 1)[0]


class Migration(migrations.Migration):
    dependencies = [
        ("review", "0001_initial"),
        ("generation", "0001_initial"),
        ("programme", "0001_initial"),
    ]
    operations = [
        *[migrations.RunSQL(sql, f"DROP FUNCTION {_name(sql)} CASCADE") for sql in FUNCTIONS],
        *[
            migrations.RunSQL(
                f"CREATE TRIGGER {name} BEFORE {events} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()",
                migrations.RunSQL.noop,
            )
            for name, events, table, function in TRIGGERS
        ],
        *[
            migrations.RunSQL(
                f"CREATE TRIGGER {table}_stays BEFORE TRUNCATE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION review_append_only()",
                migrations.RunSQL.noop,
            )
            for table in APPEND_ONLY_TABLES
        ],
        migrations.RunSQL(REASONED, migrations.RunSQL.noop),
        migrations.RunSQL(VACUUM, "ALTER TABLE review_reviewtask RESET (autovacuum_vacuum_scale_factor)"),
    ]
