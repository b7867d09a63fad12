-- ── Appointments and leaves ────────────────────────────────────────────────────────────────────────────────────────────────
-- When a leave holds, from the first day's beginning to the last one's end in Tunis.
CREATE FUNCTION masar_days(since date, until date) RETURNS tstzrange LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT tstzrange(since::timestamp AT TIME ZONE 'Africa/Tunis', (until + 1)::timestamp AT TIME ZONE 'Africa/Tunis') $$;
-- When somebody is taken between two instants, by whatever case or by a leave: when, nothing more.
CREATE OR REPLACE FUNCTION masar_taken(of_agent uuid, of_case uuid, since timestamptz, until timestamptz) RETURNS TABLE (begins_at timestamptz, ends_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT lower(a.during), upper(a.during) FROM appointment a
        WHERE masar_setting('user_id') IS NOT NULL AND a.state IN ('set', 'attended') AND a.during && tstzrange(since, until) AND (a.agent_id = of_agent OR a.instance_id = of_case)
       UNION ALL
       SELECT lower(d.during), upper(d.during) FROM staff_leave l CROSS JOIN LATERAL (SELECT masar_days(l.from_on, l.until_on) AS during) d
        WHERE masar_setting('user_id') IS NOT NULL AND l.user_id = of_agent AND l.cancelled_at IS NULL AND d.during && tstzrange(since, until) $$;
-- Whether somebody is on leave at some moment of a span.
CREATE FUNCTION masar_is_off(of_user uuid, since timestamptz, until timestamptz) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT EXISTS (SELECT FROM staff_leave l WHERE l.user_id = of_user AND l.cancelled_at IS NULL AND masar_days(l.from_on, l.until_on) && tstzrange(since, until)) $$;
REVOKE EXECUTE ON FUNCTION masar_is_off(uuid, timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_is_off(uuid, timestamptz, timestamptz) TO masar_app;

-- ── A task lent to another branch (X13) ────────────────────────────────────────────────────────────────────────────────────
-- `lent_to`, on the case and on the part that the task is of: branch and agency whose colleagues do one task of it, while it waits there. To that agency there, and to nobody else of the branch.
ALTER TABLE instance ADD COLUMN lent_to text NOT NULL DEFAULT '';
CREATE FUNCTION masar_is_lent(of_lent text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT of_lent <> '' AND current_setting('masar.reach', true) = 'branch' AND of_lent = current_setting('masar.branch', true) || ' ' || current_setting('masar.agency', true) $$;
DROP POLICY in_reach ON instance;
CREATE POLICY in_reach ON instance FOR SELECT TO masar_app
    USING (masar_reaches(branch, root_id, subject) OR masar_reads_too(also_read_by, also_read_until) OR masar_is_lent(lent_to));
DROP POLICY change_in_reach ON instance;
CREATE POLICY change_in_reach ON instance FOR UPDATE TO masar_app USING (masar_may_write() AND (masar_reaches(branch, root_id, subject) OR masar_is_lent(lent_to)))
    WITH CHECK (masar_may_write() AND (masar_reaches(branch, root_id, subject) OR masar_reads_too(also_read_by, also_read_until) OR masar_is_lent(lent_to)));
CREATE OR REPLACE FUNCTION masar_snapshot(of_root uuid, of_person uuid, of_subjects text[], of_fields text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE fields text[] := string_to_array(of_fields, ' ');
BEGIN
    IF NOT EXISTS (SELECT FROM instance i WHERE i.instance_id = of_root
                      AND (masar_reaches(i.branch, i.root_id, i.subject) OR masar_reads_too(i.also_read_by, i.also_read_until) OR masar_is_lent(i.lent_to))) THEN
        RETURN '[]';
    END IF;
    RETURN coalesce((
    SELECT json_agg(json_build_array(f.subject, f.field, f.value, f.status, f.class, f.author_agency, f.source, f.author_name, f.author_id, f.recorded_at, f.valid_until, f.fact_id))
      FROM (SELECT own.* FROM fact own WHERE own.root_id = of_root AND own.is_current
            UNION ALL
            SELECT about.* FROM fact about WHERE about.subject = ANY (of_subjects) AND about.is_current AND about.root_id <> of_root
            UNION ALL
            SELECT hers.* FROM fact hers WHERE hers.person_id = of_person AND hers.is_current AND hers.root_id <> of_root AND hers.subject <> ALL (of_subjects)
               AND (hers.subject LIKE 'person:%' OR hers.subject LIKE 'membre:%')) f
     WHERE f.field IN (SELECT unnest(fields))  -- hashed: three hundred fields, each fact looked up once
    )::text, '[]');
END $$;
-- An instance changes with its own line; but a loan ends with the task that was lent, which may be of a part of the case.
DROP TRIGGER head_is_last_line ON instance;
CREATE TRIGGER head_is_first_line AFTER INSERT ON instance FOR EACH ROW EXECUTE FUNCTION refuse_wrong_head();
CREATE TRIGGER head_is_last_line AFTER UPDATE ON instance FOR EACH ROW WHEN (OLD.lent_to = NEW.lent_to OR current_user = 'masar_app') EXECUTE FUNCTION refuse_wrong_head();
-- Once no task waits there any more, the case is its own branch's alone again.
CREATE FUNCTION masar_end_loan() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE instance i SET lent_to = '' WHERE i.root_id = OLD.root_id AND i.lent_to <> ''
       AND NOT EXISTS (SELECT FROM open_task t WHERE t.root_id = OLD.root_id AND t.branch <> t.case_branch AND i.lent_to = t.branch || ' ' || t.agency);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER end_loan AFTER DELETE OR UPDATE ON open_task DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.branch <> OLD.case_branch AND OLD.branch <> 'TUN') EXECUTE FUNCTION masar_end_loan();
REVOKE EXECUTE ON FUNCTION masar_end_loan() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_end_loan() TO masar_app;
