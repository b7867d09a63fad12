-- An auditor's morning, once more: what people saw around an instant of a replay, working time by the calendar of then, forgetting by class of retention.
CREATE INDEX consultation_by_hour ON consultation (root_id, at DESC, seq DESC);
-- How the calendar came to be what it is: nothing of a person, so whoever is signed in may count working time by it.
CREATE FUNCTION masar_calendar_changes() RETURNS TABLE (at timestamptz, kind text, about text, body jsonb) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT (l.line::jsonb ->> 'occurred_at')::timestamptz, l.kind, split_part(l.about, ':', 2), l.line::jsonb -> 'body' FROM journal_line l
        WHERE l.kind IN ('holiday.set', 'holiday.dropped') OR (l.kind IN ('parameter.set', 'parameter.taken_back') AND l.about = 'parameter:seance_unique') ORDER BY l.seq $$;
REVOKE EXECUTE ON FUNCTION masar_calendar_changes() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_calendar_changes() TO masar_app;
-- What is said of an ended case afterwards (a fact corrected, a repair refused) leaves how and when it ended: no line tells that again, and retention counts from that day.
CREATE FUNCTION keep_how_it_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.outcome := OLD.outcome;
    NEW.ended_at := OLD.ended_at;
    RETURN NEW;
END $$;
CREATE TRIGGER ended_as_it_ended BEFORE UPDATE ON instance FOR EACH ROW WHEN (current_user = 'masar_app' AND OLD.status = 'ended' AND NEW.status = 'ended') EXECUTE FUNCTION keep_how_it_ended();
REVOKE EXECUTE ON FUNCTION keep_how_it_ended() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keep_how_it_ended() TO masar_app;
-- What was kept of replays counted working time by the calendar of the day it was kept: made again.
INSERT INTO replay_due SELECT DISTINCT instance_id FROM replay_snapshot ON CONFLICT DO NOTHING;
DELETE FROM replay_snapshot;

-- ── Forgetting in part: what is past its class's time goes, what another class keeps longer stands ─────────────────────────────────────
-- `kept`: the fields that stay, null where the person is forgotten whole; `retentions`: the classes that are over.
ALTER TABLE erasure ADD COLUMN retentions text[] NOT NULL DEFAULT '{}', ADD COLUMN kept text[], ADD CHECK ((kept IS NULL) = (retentions = '{}'));
-- Whole means whole: an approval in part opens no other door.
CREATE FUNCTION masar_is_approved(of_person uuid, kept_fields text[]) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT masar_is_system() OR EXISTS (SELECT FROM erasure e WHERE e.person_id = of_person AND e.state = 'done' AND e.xid = pg_current_xact_id()
                                              AND e.kept IS NOT DISTINCT FROM kept_fields) $$;
CREATE FUNCTION refuse_forgetting_whole_by_part() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT masar_is_system() AND EXISTS (SELECT FROM erasure e WHERE e.person_id = OLD.person_id AND e.state = 'done' AND e.xid = pg_current_xact_id() AND OLD.field = ANY (e.kept)) THEN
        RAISE EXCEPTION '% is kept by what was approved', OLD.field USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER kept_is_kept BEFORE DELETE ON fact FOR EACH ROW EXECUTE FUNCTION refuse_forgetting_whole_by_part();
CREATE FUNCTION masar_instances_of(of_person uuid) RETURNS uuid[] LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT ARRAY(SELECT i.instance_id FROM instance i WHERE i.person_id = of_person OR i.root_id IN (SELECT r.instance_id FROM instance r WHERE r.person_id = of_person)) $$;
-- Documents that no answer kept names.
CREATE FUNCTION masar_documents_beside(of_person uuid, kept_fields text[]) RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT d.document_id FROM document d WHERE d.root_id = ANY (masar_instances_of(of_person))
          AND NOT EXISTS (SELECT FROM fact f WHERE f.root_id = d.root_id AND f.field = ANY (kept_fields) AND strpos(f.value::text, d.document_id::text) > 0) $$;
-- What lines sealed of her under a key (her own, or of one who was made one with her), to be sealed anew; `letter`: the paper that a line wrote, where it stays.
CREATE FUNCTION masar_is_her_key(of_person uuid, of_key uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT of_key = of_person OR of_key IN (SELECT masar_merged_into(of_person)) $$;
CREATE FUNCTION masar_sealed_of_person(of_person uuid, of_key uuid, kept_fields text[]) RETURNS TABLE (instance_id uuid, seq bigint, ciphertext bytea, letter uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT s.instance_id, s.seq, s.ciphertext, (SELECT t.letter_id FROM letter t JOIN ledger_line l ON l.instance_id = s.instance_id AND l.seq = s.seq
                                                     WHERE t.instance_id = s.instance_id AND t.letter_id::text = l.line::jsonb #>> '{body,letter}')
         FROM ledger_sealed s WHERE s.person_id = of_key AND masar_is_her_key(of_person, of_key) AND masar_is_approved(of_person, kept_fields) ORDER BY 1, 2 $$;
CREATE FUNCTION masar_seal_anew(of_person uuid, of_key uuid, kept_fields text[], instances uuid[], seqs bigint[], ciphertexts bytea[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT masar_is_approved(of_person, kept_fields) OR NOT masar_is_her_key(of_person, of_key) THEN
        RAISE EXCEPTION 'nobody approved the erasure of this person' USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE ledger_sealed s SET ciphertext = n.ciphertext FROM unnest(instances, seqs, ciphertexts) AS n(instance_id, seq, ciphertext)
     WHERE s.instance_id = n.instance_id AND s.seq = n.seq AND s.person_id = of_key;
END $$;
-- Papers of class F are accounting pieces and stay as long as those do.
CREATE FUNCTION masar_forget_in_part(of_person uuid, kept_fields text[]) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    mine uuid[] := masar_instances_of(of_person);
    gone uuid[] := ARRAY(SELECT masar_documents_beside(of_person, kept_fields));
    told jsonb := '{}';
    number bigint;
BEGIN
    IF kept_fields IS NULL OR NOT masar_is_approved(of_person, kept_fields) THEN
        RAISE EXCEPTION 'nobody approved the erasure of this person' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF EXISTS (SELECT FROM instance i WHERE i.instance_id = ANY (mine) AND i.status = 'open') THEN
        RAISE EXCEPTION 'a case of this person runs' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    DELETE FROM fact WHERE (person_id = of_person OR root_id = ANY (mine)) AND field <> ALL (kept_fields);
    GET DIAGNOSTICS number = ROW_COUNT; told := told || jsonb_build_object('facts', number);
    DELETE FROM person_token WHERE person_id = of_person AND NOT EXISTS (SELECT FROM unnest(kept_fields) k WHERE starts_with(k, 'person.'));
    GET DIAGNOSTICS number = ROW_COUNT; told := told || jsonb_build_object('tokens', number);
    DELETE FROM letter WHERE root_id = ANY (mine) AND class <> 'F';
    GET DIAGNOSTICS number = ROW_COUNT; told := told || jsonb_build_object('letters', number);
    DELETE FROM document WHERE document_id = ANY (gone);
    GET DIAGNOSTICS number = ROW_COUNT; told := told || jsonb_build_object('documents', number);
    DELETE FROM draft d USING task_done t WHERE t.task_id = d.task_id AND t.instance_id = ANY (mine);
    DELETE FROM repair WHERE root_id = ANY (mine);
    DELETE FROM replay_snapshot WHERE instance_id = ANY (mine);
    UPDATE message SET payload = '{}' WHERE sender_id = ANY (mine) OR correlation = ANY (mine::text[]) OR correlation IN (SELECT i.number FROM instance i WHERE i.instance_id = ANY (mine));
    UPDATE incident SET details = '{}' WHERE root_id = ANY (mine) AND details <> '{}';
    UPDATE notice SET details = '{}' WHERE instance_id = ANY (mine) AND details <> '{}';
    UPDATE instance SET receipt_code = NULL WHERE instance_id = ANY (mine) AND receipt_code IS NOT NULL;
    SELECT count(*) INTO number FROM ledger_sealed WHERE instance_id = ANY (mine);
    told := told || jsonb_build_object('resealed', number, 'kept', (SELECT count(*) FROM fact f WHERE f.person_id = of_person OR f.root_id = ANY (mine)),
                                       'cases', (SELECT count(*) FROM instance i WHERE i.instance_id = ANY (mine) AND i.root_id = i.instance_id));
    UPDATE erasure SET counts = told WHERE person_id = of_person AND state = 'done' AND counts = '{}';
    RETURN told;
END $$;
-- Of persons forgotten in part, those of whom something else than what was kept is there again, said before then: what she says when she comes again is new.
CREATE FUNCTION masar_came_back_in_part(asked jsonb) RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT a.person_id FROM jsonb_to_recordset(asked) AS a(person_id uuid, kept text[], at timestamptz) WHERE masar_is_system()
          AND EXISTS (SELECT FROM fact f WHERE f.person_id = a.person_id AND f.field <> ALL (a.kept) AND f.recorded_at < coalesce(a.at, 'infinity')) $$;
REVOKE EXECUTE ON FUNCTION masar_is_approved(uuid, text[]), refuse_forgetting_whole_by_part(), masar_instances_of(uuid), masar_is_her_key(uuid, uuid), masar_documents_beside(uuid, text[]),
    masar_sealed_of_person(uuid, uuid, text[]), masar_seal_anew(uuid, uuid, text[], uuid[], bigint[], bytea[]), masar_forget_in_part(uuid, text[]), masar_came_back_in_part(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_is_approved(uuid, text[]), refuse_forgetting_whole_by_part(), masar_documents_beside(uuid, text[]),
    masar_sealed_of_person(uuid, uuid, text[]), masar_seal_anew(uuid, uuid, text[], uuid[], bigint[], bytea[]), masar_forget_in_part(uuid, text[]), masar_came_back_in_part(jsonb) TO masar_app;
