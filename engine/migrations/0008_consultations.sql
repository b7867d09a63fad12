-- Access is history too: who looked at what is sensitive of a case, who tried and was refused, who took what out. One chain a case, in the form of the ledger's
-- lines; what belongs to no case (an id that nothing has, an export of many) is in the chain of case zero. No line holds a personal value.
CREATE TABLE consultation (
    root_id uuid NOT NULL, seq bigint NOT NULL, kind text NOT NULL, user_id uuid, line text NOT NULL, hash bytea NOT NULL, at timestamptz NOT NULL DEFAULT masar_now(),
    PRIMARY KEY (root_id, seq)
);
CREATE INDEX consultation_by_user ON consultation (user_id, at);
ALTER TABLE consultation ENABLE ROW LEVEL SECURITY;
ALTER TABLE consultation FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_owner ON consultation TO CURRENT_USER USING (current_user <> 'masar_app') WITH CHECK (current_user <> 'masar_app');
-- Whoever answers for the data (the auditor everywhere, the head of a branch in hers) reads; whoever acts writes of herself alone.
CREATE POLICY of_a_case_in_reach ON consultation FOR SELECT TO masar_app USING (masar_is_system() OR CASE WHEN (SELECT masar_holds('auditeur')) THEN true
    WHEN (SELECT masar_holds('chef_antenne')) THEN (SELECT true FROM instance i WHERE i.instance_id = consultation.root_id LIMIT 1) ELSE false END);
CREATE POLICY by_me ON consultation FOR INSERT TO masar_app
    WITH CHECK (user_id IS NOT DISTINCT FROM masar_setting('user_id')::uuid AND (user_id IS NOT NULL OR masar_is_system()));
GRANT SELECT, INSERT ON consultation TO masar_app;

-- Whose case something is: a case, a part of one, a task open or done, a document, a letter. Zero where there is nothing, or nobody's yet.
CREATE FUNCTION masar_root_of(of_id uuid) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT coalesce((SELECT root_id FROM instance WHERE instance_id = of_id), (SELECT root_id FROM open_task WHERE task_id = of_id),
                       (SELECT root_id FROM task_done WHERE task_id = of_id), (SELECT root_id FROM document WHERE document_id = of_id),
                       (SELECT root_id FROM letter WHERE letter_id = of_id), '00000000-0000-0000-0000-000000000000') $$;
-- The last line of a case's chain, which nobody else adds to before the transaction ends.
CREATE FUNCTION masar_last_consultation(of_root uuid) RETURNS TABLE (seq bigint, hash bytea) LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('consultation ' || of_root, 0));
    RETURN QUERY SELECT c.seq, c.hash FROM consultation c WHERE c.root_id = of_root ORDER BY c.seq DESC LIMIT 1;
END $$;
CREATE FUNCTION refuse_gap_in_consultations() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    said jsonb := NEW.line::jsonb;
    last record;
BEGIN
    SELECT c.seq, c.hash INTO last FROM consultation c WHERE c.root_id = NEW.root_id ORDER BY c.seq DESC LIMIT 1;
    IF NEW.seq <> coalesce(last.seq, 0) + 1 OR NEW.hash <> sha256(convert_to(NEW.line, 'UTF8'))
       OR (said ->> 'instance', said ->> 'kind', said ->> 'seq', said ->> 'prev', said #>> '{actor,id}')
          IS DISTINCT FROM (NEW.root_id::text, NEW.kind, NEW.seq::text, encode(coalesce(last.hash, decode(repeat('00', 32), 'hex')), 'hex'), coalesce(NEW.user_id::text, '')) THEN
        RAISE EXCEPTION 'consultation % of % does not follow the last one, or says of itself what it is not', NEW.seq, NEW.root_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER no_gap BEFORE INSERT ON consultation FOR EACH ROW EXECUTE FUNCTION refuse_gap_in_consultations();
REVOKE EXECUTE ON FUNCTION masar_root_of(uuid), masar_last_consultation(uuid), refuse_gap_in_consultations() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_root_of(uuid), masar_last_consultation(uuid) TO masar_app;
