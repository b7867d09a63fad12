-- An auditor's morning, once more: what people saw around an instant of a replay, working time by the calendar of then, forgetting by class of retention.
CREATE INDEX consultation_by_hour ON consultation (root_id, at DESC, seq DESC);
-- How the calendar came to be what it is: nothing of a person, so whoever is signed in may count working time by it.
CREATE FUNCTION masar_calendar_changes() RETURNS TABLE (at timestamptz, kind text, about text, body jsonb) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT (l.line::jsonb ->> 'occurred_at')::timestamptz, l.kind, split_part(l.about, ':', 2), l.line::jsonb -> 'body' FROM journal_line l
        WHERE l.kind IN ('holiday.set', 'holiday.dropped') OR (l.kind IN ('parameter.set', 'parameter.taken_back') AND l.about = 'parameter:seance_unique') ORDER BY l.seq $$;
REVOKE EXECUTE ON FUNCTION masar_calendar_changes() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_calendar_changes() TO masar_app;
-- What was kept of replays counted working time by the calendar of the day it was kept: made again.
INSERT INTO replay_due SELECT DISTINCT instance_id FROM replay_snapshot ON CONFLICT DO NOTHING;
DELETE FROM replay_snapshot;
