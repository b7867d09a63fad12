-- What steering counts is told once, by the worker, of lines once they are sealed; a page adds up rows of its period.

-- Which way was taken just after a task is told with the task. Turns, of which nothing else was counted, are a third of the rows.
ALTER TABLE passage ADD COLUMN way text NOT NULL DEFAULT '';
UPDATE passage t SET way = b.name FROM passage b WHERE t.kind = 'task' AND b.instance_id = t.instance_id AND b.kind = 'branch' AND b.position = t.closed_seq || '.1';
DELETE FROM passage WHERE kind = 'branch';
CREATE INDEX passage_of_node ON passage (node) WHERE kind = 'task';

-- How often the person was asked, by line that says something of hers: numbers alone, whatever the class, never a value nor a field.
-- `again`: the same answer said anew while the one known was still valid; `corrected`: another one; `given`: papers she brought; `given_held`: of them, those that an administration has.
CREATE TABLE asked (
    instance_id uuid NOT NULL, seq bigint NOT NULL, at timestamptz NOT NULL, asks integer NOT NULL, again integer NOT NULL, corrected integer NOT NULL,
    given integer NOT NULL, given_held integer NOT NULL, PRIMARY KEY (instance_id, seq)
);
CREATE INDEX asked_at ON asked (at);
ALTER TABLE asked ENABLE ROW LEVEL SECURITY;
ALTER TABLE asked FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_owner ON asked TO CURRENT_USER USING (current_user <> 'masar_app') WITH CHECK (current_user <> 'masar_app');
CREATE POLICY of_who_steers ON asked FOR SELECT TO masar_app
    USING (masar_is_system() OR ((SELECT masar_steers()) AND (current_setting('masar.reach', true) = 'all' OR instance_id IN (SELECT i.instance_id FROM instance i))));
GRANT SELECT ON asked TO masar_app;
DROP FUNCTION masar_asked;
ALTER TABLE passage_told ADD COLUMN asked_upto bigint NOT NULL DEFAULT 0;

-- One line more. Telling it twice tells nothing else.
CREATE OR REPLACE FUNCTION masar_note_passages(of_instance uuid, of_seq bigint, of_kind text, of_line text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    said jsonb := of_line::jsonb;
    body jsonb := said -> 'body';
    at timestamptz := (said ->> 'occurred_at')::timestamptz;
BEGIN
    IF body ->> 'holder' <> '' THEN
        UPDATE passage p SET held_at = coalesce(p.held_at, at), claimed_at = CASE WHEN of_kind = 'task.claimed' THEN coalesce(p.claimed_at, at) ELSE p.claimed_at END
         WHERE p.instance_id = of_instance AND p.kind = 'task' AND p.position = body ->> 'task';
    END IF;
    IF of_kind = 'operation.done' AND NOT body ? 'error' THEN
        INSERT INTO passage (instance_id, kind, position, node, name, opened_at, closed_at) VALUES (of_instance, 'operation', of_seq::text, body ->> 'node', body ->> 'operation', at, at) ON CONFLICT DO NOTHING;
    END IF;
    IF body ? 'opened' THEN
        INSERT INTO passage (instance_id, kind, position, node, opened_at, due_at, held_at)
        SELECT of_instance, 'task', o.value ->> 0, o.value ->> 1, at, (body -> 'due' ->> (o.value ->> 0))::timestamptz, CASE WHEN body -> 'held' ? (o.value ->> 0) THEN at END
          FROM jsonb_array_elements(body -> 'opened') o ON CONFLICT DO NOTHING;
    END IF;
    IF body ? 'waits' THEN
        INSERT INTO passage (instance_id, kind, position, node, name, opened_at, due_at)
        SELECT of_instance, w.value ->> 2, w.value ->> 0, w.value ->> 1, w.value ->> 3, at, (w.value ->> 4)::timestamptz FROM jsonb_array_elements(body -> 'waits') w ON CONFLICT DO NOTHING;
    END IF;
    IF body ? 'messages' THEN
        INSERT INTO passage (instance_id, kind, position, node, name, opened_at, closed_at)
        SELECT of_instance, 'sent', of_seq || '.' || m.ordinality, '', m.value, at, at FROM jsonb_array_elements_text(body -> 'messages') WITH ORDINALITY m ON CONFLICT DO NOTHING;
    END IF;
    IF body ? 'closed' THEN
        UPDATE passage p SET closed_at = at, outcome = c.value ->> 1, closed_seq = of_seq,
               way = coalesce((SELECT string_agg(f, ' ' ORDER BY f) FROM jsonb_array_elements_text(body #> '{branches,0,1}') f), '') FROM jsonb_array_elements(body -> 'closed') c
         WHERE p.instance_id = of_instance AND p.kind = 'task' AND p.position = c.value ->> 0 AND p.closed_at IS NULL;
    END IF;
    IF body ? 'waited' THEN
        UPDATE passage p SET closed_at = at, closed_seq = of_seq FROM jsonb_array_elements_text(body -> 'waited') w
         WHERE p.instance_id = of_instance AND p.kind IN ('message', 'timer', 'signal', 'condition') AND p.position = w.value AND p.closed_at IS NULL;
    END IF;
END $$;

-- What a line says that the person was asked. `fields`: those she is asked; `papers`; `held`: of them, those that an administration has. Telling it twice tells nothing else.
CREATE FUNCTION masar_note_asked(of_instance uuid, of_seq bigint, fields text[], papers text[], held text[]) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO asked (instance_id, seq, at, asks, again, corrected, given, given_held)
    WITH known AS (SELECT f.* FROM fact f WHERE f.is_current AND f.root_id = (SELECT i.root_id FROM instance i WHERE i.instance_id = of_instance)
                   UNION ALL SELECT f.* FROM fact f WHERE NOT f.is_current AND f.root_id = (SELECT i.root_id FROM instance i WHERE i.instance_id = of_instance)),
         told AS (SELECT f.recorded_at, f.value, f.field = ANY (papers) AS is_paper, f.field = ANY (held) AS is_held,
                         coalesce(b.status = 'known' AND (b.valid_until IS NULL OR b.valid_until > f.recorded_at), false) AS was_known, b.value AS was
                    FROM known f LEFT JOIN LATERAL (SELECT p.status, p.valid_until, p.value FROM fact p
                          WHERE p.subject = f.subject AND p.field = f.field AND NOT p.is_current AND p.fact_id < f.fact_id ORDER BY p.fact_id DESC LIMIT 1) b ON true
                   WHERE f.instance_id = of_instance AND f.seq = of_seq AND f.source ->> 'kind' = 'person' AND f.field = ANY (fields || papers))
    SELECT of_instance, of_seq, max(recorded_at), count(*) FILTER (WHERE NOT is_paper), count(*) FILTER (WHERE was_known AND NOT is_paper AND value IS NOT DISTINCT FROM was),
           count(*) FILTER (WHERE was_known AND NOT is_paper AND value IS DISTINCT FROM was), count(*) FILTER (WHERE is_paper AND jsonb_typeof(value) <> 'null'),
           count(*) FILTER (WHERE is_held AND jsonb_typeof(value) <> 'null')
      FROM told HAVING count(*) > 0 ON CONFLICT DO NOTHING
$$;
-- The next entries of the log that were not told, at most so many; how many there were. What was asked before this version is told from the first on.
DROP FUNCTION masar_tell_passages(integer);
CREATE FUNCTION masar_tell_passages(most integer, fields text[], papers text[], held text[]) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    first bigint;
    past bigint;
    asked_first bigint;
    asked_past bigint;
BEGIN
    IF NOT coalesce(masar_is_system(), false) THEN
        RETURN 0;
    END IF;
    SELECT upto, asked_upto INTO first, asked_first FROM passage_told FOR UPDATE;
    SELECT least(coalesce(max(log_index) + 1, 0), first + most), least(coalesce(max(log_index) + 1, 0), asked_first + most) INTO past, asked_past FROM log_entry;
    PERFORM masar_note_passages(l.instance_id, l.seq, l.kind, l.line) FROM (
        SELECT l.* FROM log_entry e JOIN ledger_line l USING (instance_id, seq) WHERE e.log_index >= first AND e.log_index < past AND l.line ~ '"(opened|closed|waits|waited|messages|holder|operation)":' ORDER BY e.log_index) l;
    PERFORM masar_note_asked(l.instance_id, l.seq, fields, papers, held) FROM (
        SELECT l.instance_id, l.seq FROM log_entry e JOIN ledger_line l USING (instance_id, seq) WHERE e.log_index >= asked_first AND e.log_index < asked_past AND l.line LIKE '%"source":"person"%' ORDER BY e.log_index) l;
    UPDATE passage_told SET upto = past, asked_upto = asked_past;
    RETURN greatest(past - first, asked_past - asked_first);
END $$;
REVOKE EXECUTE ON FUNCTION masar_note_asked, masar_tell_passages FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_tell_passages TO masar_app;
