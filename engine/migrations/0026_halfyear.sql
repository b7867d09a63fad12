-- The report of a half-year is one: made once, of the whole land, the same for whoever reads it and for ever. What is kept of it is masked already.
-- Two reports that differ (a branch and the land, two readers, the same half-year asked for twice) would tell by their difference what each hides.
CREATE TABLE halfyear_report (year integer NOT NULL, half integer NOT NULL CHECK (half IN (1, 2)), content jsonb NOT NULL, made_at timestamptz NOT NULL, PRIMARY KEY (year, half));
CREATE OR REPLACE FUNCTION masar_steers() RETURNS boolean LANGUAGE sql STABLE AS
    $$ SELECT masar_is_system() OR masar_holds('coordinateur', 'auditeur', 'chef_antenne', 'chef_cps', 'chef_aneti') $$;
ALTER TABLE halfyear_report ENABLE ROW LEVEL SECURITY;
ALTER TABLE halfyear_report FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_owner ON halfyear_report TO CURRENT_USER USING (current_user <> 'masar_app') WITH CHECK (current_user <> 'masar_app');
CREATE POLICY of_who_steers ON halfyear_report FOR SELECT TO masar_app USING ((SELECT masar_steers()));
CREATE POLICY made_by_a_job ON halfyear_report FOR INSERT TO masar_app WITH CHECK (masar_is_system() AND masar_may_write());
GRANT SELECT, INSERT ON halfyear_report TO masar_app;

-- What was said once needs no look at what was said before: only answers that others came after are put in order. A whole table of facts was sorted at each look.
-- `held`: papers that an administration has, of those given.
DROP FUNCTION masar_asked(text, timestamptz, timestamptz, timestamptz, text[], text[]);
CREATE FUNCTION masar_asked(of_branch text, before timestamptz, first timestamptz, last timestamptz, fields text[], papers text[], held text[])
    RETURNS TABLE (root_id uuid, span integer, asks bigint, again bigint, corrected bigint, given bigint, given_held bigint) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT coalesce(masar_steers(), false) THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH own AS (SELECT r.instance_id FROM instance r WHERE r.process = 'parcours' AND r.root_id = r.instance_id AND (of_branch = '' OR r.branch = of_branch)
                    AND masar_reaches(r.branch, r.root_id, r.subject)),
         replaced AS MATERIALIZED (SELECT f.fact_id, f.subject, f.field, f.value, f.status, f.valid_until FROM fact f WHERE NOT f.is_current AND f.field IN (SELECT unnest(fields || papers)) AND f.recorded_at < last),
         several AS MATERIALIZED (SELECT DISTINCT r.subject, r.field FROM replaced r),
         ordered AS (SELECT s.fact_id, lag(s.value) OVER w AS was, lag(s.status) OVER w AS was_status, lag(s.valid_until) OVER w AS was_until
                       FROM (SELECT * FROM replaced UNION ALL SELECT c.* FROM several CROSS JOIN LATERAL (
                               SELECT f.fact_id, f.subject, f.field, f.value, f.status, f.valid_until FROM fact f WHERE f.subject = several.subject AND f.field = several.field AND f.is_current AND f.recorded_at < last LIMIT 1) c) s
                     WINDOW w AS (PARTITION BY s.subject, s.field ORDER BY s.fact_id)),
         told AS (SELECT f.root_id AS root, f.field, f.recorded_at AS at, f.value, o.was, coalesce(o.was_status = 'known' AND (o.was_until IS NULL OR o.was_until > f.recorded_at), false) AS was_known,
                         f.field = ANY (papers) AS is_paper
                    FROM fact f JOIN own ON own.instance_id = f.root_id LEFT JOIN ordered o USING (fact_id)
                   WHERE f.recorded_at >= before AND f.recorded_at < last AND f.source ->> 'kind' = 'person' AND f.field IN (SELECT unnest(fields || papers)))
    SELECT t.root, CASE WHEN t.at >= first THEN 0 ELSE 1 END, count(*) FILTER (WHERE NOT t.is_paper),
           count(*) FILTER (WHERE t.was_known AND NOT t.is_paper AND t.value IS NOT DISTINCT FROM t.was), count(*) FILTER (WHERE t.was_known AND NOT t.is_paper AND t.value IS DISTINCT FROM t.was),
           count(*) FILTER (WHERE t.is_paper AND jsonb_typeof(t.value) NOT IN ('null')), count(*) FILTER (WHERE t.field = ANY (held) AND jsonb_typeof(t.value) NOT IN ('null'))
      FROM told t GROUP BY 1, 2;
END $$;
REVOKE EXECUTE ON FUNCTION masar_asked FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_asked TO masar_app;
-- Who reaches a branch: its cases once, instead of one look for each passage of the land.
ALTER POLICY of_who_steers ON passage USING (masar_is_system() OR ((SELECT masar_steers()) AND (current_setting('masar.reach', true) = 'all' OR instance_id IN (SELECT i.instance_id FROM instance i))));
