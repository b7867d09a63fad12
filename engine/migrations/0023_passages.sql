-- Passages are told of lines once they are sealed, by the worker: no click waits for what only steering reads.

DROP TRIGGER note_passages ON ledger_line;
DROP TRIGGER note_hands ON open_task;
DROP FUNCTION masar_note_passage, masar_note_hands;
-- How much of the log has been told. Nothing of anybody.
CREATE TABLE passage_told (is_it boolean PRIMARY KEY DEFAULT true CHECK (is_it), upto bigint NOT NULL DEFAULT 0);
INSERT INTO passage_told DEFAULT VALUES;
ALTER TABLE passage_told ENABLE ROW LEVEL SECURITY;
ALTER TABLE passage_told FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_owner ON passage_told TO CURRENT_USER USING (current_user <> 'masar_app') WITH CHECK (current_user <> 'masar_app');

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
-- The next entries of the log that were not told, at most so many; how many there were.
CREATE FUNCTION masar_tell_passages(most integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    first bigint;
    past bigint;
BEGIN
    IF NOT coalesce(masar_is_system(), false) THEN
        RETURN 0;
    END IF;
    SELECT upto INTO first FROM passage_told FOR UPDATE;
    SELECT least(coalesce(max(log_index) + 1, 0), first + most) INTO past FROM log_entry;
    PERFORM masar_note_passages(l.instance_id, l.seq, l.kind, l.line) FROM (
        SELECT l.* FROM log_entry e JOIN ledger_line l USING (instance_id, seq) WHERE e.log_index >= first AND e.log_index < past AND l.line ~ '"(opened|closed|waits|waited|messages|branches|holder|operation)":' ORDER BY e.log_index) l;
    UPDATE passage_told SET upto = past;
    RETURN past - first;
END $$;
REVOKE EXECUTE ON FUNCTION masar_tell_passages FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_tell_passages TO masar_app;
