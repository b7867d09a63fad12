-- Steering: how long everything stood, as the ledger tells it, in rows that can be added up.

-- One row for each task and wait that opened, each message sent, turn taken and operation done: all of it is read from the body of a line, and can be made again from there.
-- `held_at`: since when a task is in somebody's hands, be it that it opened there (the case owner's, the social worker's); `claimed_at`: since when she took it herself.
-- `kind`: task, message, timer, signal, condition (what is waited for), sent, branch, operation. Nothing of a person: elements, codes, instants.
CREATE TABLE passage (
    instance_id uuid NOT NULL, kind text NOT NULL, position text NOT NULL, node text NOT NULL, name text NOT NULL DEFAULT '', opened_at timestamptz NOT NULL, due_at timestamptz,
    held_at timestamptz, claimed_at timestamptz, closed_at timestamptz, outcome text NOT NULL DEFAULT '', closed_seq bigint, PRIMARY KEY (instance_id, kind, position)
);
CREATE INDEX passage_over ON passage (kind, closed_at);
CREATE INDEX passage_open ON passage (kind, opened_at) WHERE closed_at IS NULL;
CREATE INDEX passage_sent ON passage (kind, name, opened_at) WHERE kind IN ('sent', 'operation', 'message');

CREATE FUNCTION masar_note_passages(of_instance uuid, of_seq bigint, of_kind text, of_line text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    said jsonb := of_line::jsonb;
    body jsonb := said -> 'body';
    at timestamptz := (said ->> 'occurred_at')::timestamptz;
BEGIN
    IF of_kind = 'task.claimed' THEN
        UPDATE passage p SET claimed_at = coalesce(p.claimed_at, at) WHERE p.instance_id = of_instance AND p.kind = 'task' AND p.position = body ->> 'task';
        RETURN;
    END IF;
    IF of_kind = 'operation.done' AND NOT body ? 'error' THEN
        INSERT INTO passage (instance_id, kind, position, node, name, opened_at, closed_at) VALUES (of_instance, 'operation', of_seq::text, body ->> 'node', body ->> 'operation', at, at) ON CONFLICT DO NOTHING;
    END IF;
    IF body ? 'opened' THEN
        INSERT INTO passage (instance_id, kind, position, node, opened_at, due_at)
        SELECT of_instance, 'task', o.value ->> 0, o.value ->> 1, at, (body -> 'due' ->> (o.value ->> 0))::timestamptz FROM jsonb_array_elements(body -> 'opened') o ON CONFLICT DO NOTHING;
    END IF;
    IF body ? 'waits' THEN
        INSERT INTO passage (instance_id, kind, position, node, name, opened_at, due_at)
        SELECT of_instance, w.value ->> 2, w.value ->> 0, w.value ->> 1, w.value ->> 3, at, (w.value ->> 4)::timestamptz FROM jsonb_array_elements(body -> 'waits') w ON CONFLICT DO NOTHING;
    END IF;
    IF body ? 'messages' THEN
        INSERT INTO passage (instance_id, kind, position, node, name, opened_at, closed_at)
        SELECT of_instance, 'sent', of_seq || '.' || m.ordinality, '', m.value, at, at FROM jsonb_array_elements_text(body -> 'messages') WITH ORDINALITY m ON CONFLICT DO NOTHING;
    END IF;
    IF body ? 'branches' THEN
        INSERT INTO passage (instance_id, kind, position, node, name, opened_at, closed_at)
        SELECT of_instance, 'branch', of_seq || '.' || b.ordinality, b.value ->> 0, (SELECT string_agg(f, ' ' ORDER BY f) FROM jsonb_array_elements_text(b.value -> 1) f), at, at
          FROM jsonb_array_elements(body -> 'branches') WITH ORDINALITY b WHERE jsonb_array_length(b.value -> 1) > 0 ON CONFLICT DO NOTHING;
    END IF;
    IF body ? 'closed' THEN
        UPDATE passage p SET closed_at = at, outcome = c.value ->> 1, closed_seq = of_seq FROM jsonb_array_elements(body -> 'closed') c
         WHERE p.instance_id = of_instance AND p.kind = 'task' AND p.position = c.value ->> 0 AND p.closed_at IS NULL;
    END IF;
    IF body ? 'waited' THEN
        UPDATE passage p SET closed_at = at, closed_seq = of_seq FROM jsonb_array_elements_text(body -> 'waited') w
         WHERE p.instance_id = of_instance AND p.kind IN ('message', 'timer', 'signal', 'condition') AND p.position = w.value AND p.closed_at IS NULL;
    END IF;
END $$;
CREATE FUNCTION masar_note_passage() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM masar_note_passages(NEW.instance_id, NEW.seq, NEW.kind, NEW.line);
    RETURN NULL;
END $$;
CREATE TRIGGER note_passages AFTER INSERT ON ledger_line FOR EACH ROW WHEN (NEW.kind IN ('task.claimed', 'operation.done') OR NEW.line LIKE '%"opened":[%' OR NEW.line LIKE '%"closed":[%'
    OR NEW.line LIKE '%"waits":[%' OR NEW.line LIKE '%"waited":[%' OR NEW.line LIKE '%"messages":[%' OR NEW.line LIKE '%"branches":[%') EXECUTE FUNCTION masar_note_passage();
-- In whose hands a task opens, or is put by a colleague, its row says and the line does not.
CREATE FUNCTION masar_note_hands() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE passage p SET held_at = coalesce(p.held_at, NEW.claimed_at, masar_now()) WHERE p.instance_id = NEW.instance_id AND p.kind = 'task' AND p.position = NEW.position;
    RETURN NULL;
END $$;
CREATE TRIGGER note_hands AFTER INSERT OR UPDATE OF holder_id ON open_task FOR EACH ROW WHEN (NEW.holder_id IS NOT NULL) EXECUTE FUNCTION masar_note_hands();
DO $$
DECLARE l record;
BEGIN
    FOR l IN SELECT instance_id, seq, kind, line FROM ledger_line ORDER BY instance_id, seq LOOP
        PERFORM masar_note_passages(l.instance_id, l.seq, l.kind, l.line);
    END LOOP;
    -- Of tasks done before this version nobody can say any more who had them from the first: those taken in hand are told.
    UPDATE passage p SET held_at = t.claimed_at FROM open_task t WHERE t.instance_id = p.instance_id AND p.kind = 'task' AND p.position = t.position AND t.holder_id IS NOT NULL;
    UPDATE passage SET held_at = claimed_at WHERE held_at IS NULL AND claimed_at IS NOT NULL;
END $$;

-- Whoever steers: every row where she reaches all, else those of her cases.
CREATE FUNCTION masar_steers() RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT masar_holds('coordinateur', 'auditeur', 'chef_antenne', 'chef_cps', 'chef_aneti') $$;
ALTER TABLE passage ENABLE ROW LEVEL SECURITY;
ALTER TABLE passage FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_owner ON passage TO CURRENT_USER USING (current_user <> 'masar_app') WITH CHECK (current_user <> 'masar_app');
CREATE POLICY of_who_steers ON passage FOR SELECT TO masar_app USING (masar_is_system() OR ((SELECT masar_steers())
    AND (current_setting('masar.reach', true) = 'all' OR (SELECT true FROM instance i WHERE i.instance_id = passage.instance_id LIMIT 1))));

-- How much was asked of the persons of the cases one steers, whatever its class: counts alone, a case each, never a value nor the name of a field.
-- `span`: 0 from `first` on, 1 between `before` and `first`. `again`: the same answer said anew while the one known was still valid; `corrected`: another one.
CREATE FUNCTION masar_asked(of_branch text, before timestamptz, first timestamptz, last timestamptz, fields text[], papers text[])
    RETURNS TABLE (root_id uuid, span integer, asks bigint, again bigint, corrected bigint, given bigint) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT coalesce(masar_steers(), false) THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH own AS (SELECT r.instance_id FROM instance r WHERE r.process = 'parcours' AND r.root_id = r.instance_id AND (of_branch = '' OR r.branch = of_branch)
                    AND masar_reaches(r.branch, r.root_id, r.subject)),
         said AS (SELECT f.root_id AS root, f.field, f.recorded_at AS at, f.status, f.value, f.source ->> 'kind' AS kind, lag(f.value) OVER w AS was, lag(f.status) OVER w AS was_status,
                         lag(f.valid_until) OVER w AS was_until
                    FROM fact f JOIN own o ON o.instance_id = f.root_id WHERE f.field IN (SELECT unnest(fields || papers)) AND f.recorded_at < last
                  WINDOW w AS (PARTITION BY f.subject, f.field ORDER BY f.fact_id)),
         told AS (SELECT s.*, s.kind = 'person' AND s.was_status = 'known' AND (s.was_until IS NULL OR s.was_until > s.at) AS was_known,
                         s.field = ANY (papers) AS is_paper FROM said s WHERE s.at >= before)
    SELECT t.root, CASE WHEN t.at >= first THEN 0 ELSE 1 END, count(*) FILTER (WHERE t.kind = 'person' AND NOT t.is_paper),
           count(*) FILTER (WHERE t.was_known AND NOT t.is_paper AND t.value IS NOT DISTINCT FROM t.was), count(*) FILTER (WHERE t.was_known AND NOT t.is_paper AND t.value IS DISTINCT FROM t.was),
           count(*) FILTER (WHERE t.is_paper AND t.kind = 'person' AND jsonb_typeof(t.value) NOT IN ('null'))
      FROM told t GROUP BY 1, 2;
END $$;

GRANT SELECT ON passage TO masar_app;
REVOKE EXECUTE ON FUNCTION masar_note_passages, masar_note_passage, masar_note_hands, masar_steers, masar_asked FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_steers, masar_asked TO masar_app;
