-- Forgetting: a person's erasure is proposed by one, approved by another, done in that approval's transaction. What stays: lines with their commitments, positions,
-- numbers and dates. What goes: every row that tells of her, here; her key and her documents, by whoever asked, once this is committed.
CREATE TABLE erasure (
    erasure_id uuid PRIMARY KEY, person_id uuid NOT NULL REFERENCES person, root_id uuid NOT NULL REFERENCES instance, branch text NOT NULL REFERENCES branch,
    ground text NOT NULL CHECK (ground IN ('retention', 'asked')), reference text NOT NULL DEFAULT '',  -- under which number of the register she asked
    proposed_by uuid NOT NULL REFERENCES user_account, proposed_at timestamptz NOT NULL, state text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'done', 'refused')),
    decided_by uuid REFERENCES user_account, decided_at timestamptz, counts jsonb NOT NULL DEFAULT '{}', xid xid8
);
CREATE UNIQUE INDEX erasure_open ON erasure (person_id) WHERE state = 'proposed';
ALTER TABLE erasure ENABLE ROW LEVEL SECURITY;
ALTER TABLE erasure FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_owner ON erasure TO CURRENT_USER USING (current_user <> 'masar_app') WITH CHECK (current_user <> 'masar_app');
CREATE POLICY in_reach ON erasure FOR SELECT TO masar_app
    USING (masar_is_system() OR ((SELECT masar_holds('auditeur', 'chef_antenne', 'coordinateur')) AND masar_reaches(branch, NULL, '')));
CREATE POLICY proposed_by_me ON erasure FOR INSERT TO masar_app
    WITH CHECK (state = 'proposed' AND proposed_by = masar_setting('user_id')::uuid AND (SELECT masar_holds('chef_antenne', 'coordinateur')) AND masar_reaches(branch, NULL, ''));
CREATE POLICY decided_in_reach ON erasure FOR UPDATE TO masar_app USING ((SELECT masar_holds('chef_antenne', 'coordinateur')) AND masar_reaches(branch, NULL, ''));
CREATE FUNCTION refuse_own_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = 'masar_app' AND (OLD.state <> 'proposed' OR NEW.decided_by IS DISTINCT FROM public.masar_setting('user_id')::uuid
            OR (NEW.state = 'done' AND (NEW.decided_by = OLD.proposed_by OR NEW.xid IS DISTINCT FROM pg_current_xact_id()))) THEN
        RAISE EXCEPTION 'erasure % is approved by somebody who did not propose it, once', OLD.erasure_id USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER by_two BEFORE UPDATE ON erasure FOR EACH ROW EXECUTE FUNCTION refuse_own_erasure();
GRANT SELECT, INSERT ON erasure TO masar_app;
GRANT UPDATE (state, decided_by, decided_at, xid) ON erasure TO masar_app;

-- Persons of whom something is kept and nothing runs: their last case, when it ended, and which fields are kept (names of fields, no value).
CREATE FUNCTION masar_ended_persons() RETURNS TABLE (person_id uuid, root_id uuid, number text, branch text, ended_at timestamptz, fields text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT l.person_id, l.instance_id, l.number, l.branch, l.ended_at, ARRAY(SELECT DISTINCT f.field FROM fact f WHERE f.person_id = l.person_id ORDER BY 1)
         FROM (SELECT DISTINCT ON (i.person_id) i.* FROM instance i WHERE i.person_id IS NOT NULL AND i.root_id = i.instance_id ORDER BY i.person_id, i.ended_at DESC NULLS FIRST) l
        WHERE l.status = 'ended' AND masar_reaches(l.branch, l.instance_id, '') AND NOT masar_is_partner()
          AND NOT EXISTS (SELECT FROM instance o WHERE o.person_id = l.person_id AND o.status = 'open')
          AND EXISTS (SELECT FROM fact f WHERE f.person_id = l.person_id) $$;
-- The instances whose ledger tells of the erasure: the person's own, and the sittings that wrote of her (`subjects`: of which aids).
CREATE FUNCTION masar_instances_of_person(of_person uuid) RETURNS TABLE (instance_id uuid, seq bigint, head bytea, edition integer, subjects text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT i.instance_id, i.seq, i.head, e.number,
              ARRAY(SELECT DISTINCT f.subject FROM fact f WHERE f.instance_id = i.instance_id AND f.person_id = of_person AND i.person_id IS DISTINCT FROM of_person ORDER BY 1)
         FROM instance i JOIN edition e USING (edition_id)
        WHERE i.person_id = of_person OR i.root_id IN (SELECT r.instance_id FROM instance r WHERE r.person_id = of_person)
           OR i.instance_id IN (SELECT f.instance_id FROM fact f WHERE f.person_id = of_person) ORDER BY 1 $$;
CREATE FUNCTION masar_documents_of_person(of_person uuid) RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT document_id FROM document WHERE root_id IN (SELECT instance_id FROM instance WHERE person_id = of_person) $$;
-- Which of these persons have rows again: an old backup was restored.
CREATE FUNCTION masar_came_back(persons uuid[]) RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT p FROM unnest(persons) p WHERE masar_is_system() AND (EXISTS (SELECT FROM fact f WHERE f.person_id = p) OR EXISTS (SELECT FROM person_token t WHERE t.person_id = p)
          OR EXISTS (SELECT FROM letter l JOIN instance i ON i.instance_id = l.root_id WHERE i.person_id = p)
          OR EXISTS (SELECT FROM document d JOIN instance i ON i.instance_id = d.root_id WHERE i.person_id = p)) $$;
CREATE FUNCTION masar_forget_person(of_person uuid) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    mine uuid[] := ARRAY(SELECT i.instance_id FROM instance i WHERE i.person_id = of_person OR i.root_id IN (SELECT r.instance_id FROM instance r WHERE r.person_id = of_person));
    told jsonb := '{}';
    number bigint;
BEGIN
    IF NOT masar_is_system() AND NOT EXISTS (SELECT FROM erasure e WHERE e.person_id = of_person AND e.state = 'done' AND e.xid = pg_current_xact_id()) THEN
        RAISE EXCEPTION 'nobody approved the erasure of this person' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF EXISTS (SELECT FROM instance i WHERE i.instance_id = ANY (mine) AND i.status = 'open') THEN
        RAISE EXCEPTION 'a case of this person runs' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    DELETE FROM fact WHERE person_id = of_person OR root_id = ANY (mine);
    GET DIAGNOSTICS number = ROW_COUNT; told := told || jsonb_build_object('facts', number);
    DELETE FROM person_token WHERE person_id = of_person;
    GET DIAGNOSTICS number = ROW_COUNT; told := told || jsonb_build_object('tokens', number);
    DELETE FROM letter WHERE root_id = ANY (mine);
    GET DIAGNOSTICS number = ROW_COUNT; told := told || jsonb_build_object('letters', number);
    DELETE FROM document WHERE root_id = ANY (mine);
    GET DIAGNOSTICS number = ROW_COUNT; told := told || jsonb_build_object('documents', number);
    DELETE FROM draft d USING task_done t WHERE t.task_id = d.task_id AND t.instance_id = ANY (mine);
    DELETE FROM repair WHERE root_id = ANY (mine);
    UPDATE message SET payload = '{}' WHERE sender_id = ANY (mine) OR correlation = ANY (mine::text[]) OR correlation IN (SELECT i.number FROM instance i WHERE i.instance_id = ANY (mine));
    UPDATE incident SET details = '{}' WHERE root_id = ANY (mine) AND details <> '{}';
    UPDATE notice SET details = '{}' WHERE instance_id = ANY (mine) AND details <> '{}';
    UPDATE instance SET receipt_code = NULL WHERE instance_id = ANY (mine) AND receipt_code IS NOT NULL;
    SELECT count(*) INTO number FROM ledger_sealed WHERE instance_id = ANY (mine);
    told := told || jsonb_build_object('sealed', number, 'cases', (SELECT count(*) FROM instance i WHERE i.instance_id = ANY (mine) AND i.root_id = i.instance_id));
    UPDATE erasure SET counts = told WHERE person_id = of_person AND state = 'done' AND counts = '{}';
    RETURN told;
END $$;
REVOKE EXECUTE ON FUNCTION refuse_own_erasure(), masar_ended_persons(), masar_instances_of_person(uuid), masar_documents_of_person(uuid), masar_came_back(uuid[]), masar_forget_person(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION refuse_own_erasure(), masar_ended_persons(), masar_instances_of_person(uuid), masar_documents_of_person(uuid), masar_came_back(uuid[]), masar_forget_person(uuid) TO masar_app;
