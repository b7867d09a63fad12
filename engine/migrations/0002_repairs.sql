-- Why a draft may ask more of people than the edition in force does: with the draft, and with the edition's start.
ALTER TABLE edition_draft ADD COLUMN burden_reason text NOT NULL DEFAULT '';
ALTER TABLE edition_start ADD COLUMN burden_reason text NOT NULL DEFAULT '';

-- Who takes an incident in hand.
ALTER TABLE incident ADD COLUMN owner_id uuid REFERENCES user_account;

-- A repair that two must agree on: proposed by one, applied when another approves it before it expires. `content`: positions, elements and fields; what a
-- correction would say is sealed in the ledger line of the proposal, `seq`, and nowhere else. `touches`: why two; `class`: of the fact corrected.
CREATE TABLE repair (
    repair_id uuid PRIMARY KEY, instance_id uuid NOT NULL REFERENCES instance, root_id uuid NOT NULL REFERENCES instance, branch text NOT NULL REFERENCES branch,
    act text NOT NULL CHECK (act IN ('move', 'skip', 'correct')), content jsonb NOT NULL, touches text[] NOT NULL, class text NOT NULL DEFAULT '',
    seq bigint NOT NULL, reason text NOT NULL CHECK (reason <> ''), proposed_by uuid NOT NULL REFERENCES user_account, proposed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL, state text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'applied', 'refused')),
    decided_by uuid REFERENCES user_account, decided_at timestamptz, answer text NOT NULL DEFAULT ''
);
CREATE INDEX repair_to_decide ON repair (proposed_at) WHERE state = 'proposed';
CREATE INDEX repair_by_root ON repair (root_id);
CREATE TRIGGER has_its_line AFTER INSERT OR UPDATE OR DELETE ON repair FOR EACH ROW EXECUTE FUNCTION refuse_change_without_line();

ALTER TABLE repair ENABLE ROW LEVEL SECURITY;
ALTER TABLE repair FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_owner ON repair TO CURRENT_USER USING (current_user <> 'masar_app') WITH CHECK (current_user <> 'masar_app');
CREATE POLICY of_a_case_in_reach ON repair FOR SELECT TO masar_app
    USING (NOT masar_is_partner() AND (SELECT masar_holds('coordinateur', 'auditeur', 'chef_antenne', 'gestionnaire_aides'))
           AND (SELECT true FROM instance i WHERE i.instance_id = repair.instance_id LIMIT 1));
CREATE POLICY proposed_by_me ON repair FOR INSERT TO masar_app
    WITH CHECK (masar_may_write() AND state = 'proposed' AND proposed_by = masar_setting('user_id')::uuid AND (SELECT masar_holds('coordinateur'))
                AND (SELECT true FROM instance i WHERE i.instance_id = repair.instance_id AND i.root_id = repair.root_id LIMIT 1));
CREATE POLICY decided_in_reach ON repair FOR UPDATE TO masar_app
    USING (masar_may_write() AND (SELECT masar_holds('coordinateur', 'chef_antenne', 'gestionnaire_aides'))
           AND (SELECT true FROM instance i WHERE i.instance_id = repair.instance_id LIMIT 1));
-- Two persons: nobody applies what she proposed, nor what has expired; what was decided stays so.
CREATE FUNCTION refuse_own_repair() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE me uuid := public.masar_setting('user_id')::uuid;
BEGIN
    IF OLD.state <> 'proposed' OR (to_jsonb(NEW) - 'state' - 'decided_by' - 'decided_at' - 'answer') <> (to_jsonb(OLD) - 'state' - 'decided_by' - 'decided_at' - 'answer') THEN
        RAISE EXCEPTION 'repair % does not change', OLD.repair_id USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.decided_by IS DISTINCT FROM me OR (NEW.state = 'applied' AND (OLD.proposed_by = me OR OLD.expires_at <= public.masar_now())) THEN
        RAISE EXCEPTION 'repair % is applied in time by somebody who did not propose it', OLD.repair_id USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER by_two BEFORE UPDATE ON repair FOR EACH ROW EXECUTE FUNCTION refuse_own_repair();

GRANT SELECT, INSERT ON repair TO masar_app;
GRANT UPDATE (state, decided_by, decided_at, answer) ON repair TO masar_app;
REVOKE EXECUTE ON FUNCTION refuse_own_repair() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION refuse_own_repair() TO masar_app;
