"""The log only grows: PostgreSQL itself refuses to change or remove a row."""

from __future__ import annotations

from django.db import migrations

FORWARD = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE ON audit_auditevent
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON audit_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_audithead
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON audit_audithead
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
INSERT INTO audit_audithead (id, seq, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));
"""

BACKWARD = """
DROP TRIGGER audit_event_append_only ON audit_auditevent;
DROP TRIGGER audit_event_no_truncate ON audit_auditevent;
DROP TRIGGER audit_head_stays ON audit_audithead;
DROP TRIGGER audit_head_no_truncate ON audit_audithead;
DROP FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
