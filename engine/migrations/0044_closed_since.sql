-- Tells whoever has an appointment within hours that were just closed, of whatever branch: that there is one to move, nothing of whom. Returns how many there are.
CREATE FUNCTION masar_tell_closed(since timestamptz[], until timestamptz[]) RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH lost AS (SELECT a.agent_id, a.branch, a.instance_id FROM appointment a
                   WHERE masar_setting('user_id') IS NOT NULL AND a.state = 'set' AND EXISTS (SELECT FROM unnest(since, until) AS closed(first, last) WHERE a.during && tstzrange(first, last))),
         told AS (INSERT INTO notice (notice_id, user_id, branch, code, details, instance_id, created_at)
                  SELECT gen_random_uuid(), agent_id, branch, 'appointment.closed', jsonb_build_object('by', masar_setting('user_id')), instance_id, masar_now() FROM lost)
    SELECT count(*) FROM lost $$;
