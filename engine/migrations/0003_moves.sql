-- Moving running cases to another edition; and reading what a case was told at each of its steps.

-- Every fact that the engine may read for this case, the replaced ones too, in the order in which they were said. Never shown as it is (as `masar_snapshot`).
CREATE FUNCTION masar_fact_history(of_root uuid, of_person uuid, of_subjects text[], of_fields text)
    RETURNS TABLE (subject text, field text, value jsonb, status text, class text, author_agency text, source jsonb, author_name text,
                   author_id uuid, recorded_at timestamptz, valid_until timestamptz, fact_id bigint, instance_id uuid, seq bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE fields text[] := string_to_array(of_fields, ' ');
BEGIN
    IF NOT EXISTS (SELECT FROM instance i WHERE i.instance_id = of_root AND masar_reaches(i.branch, i.root_id, i.subject)) THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT f.subject, f.field, f.value, f.status, f.class, f.author_agency, f.source, f.author_name, f.author_id, f.recorded_at, f.valid_until, f.fact_id,
           f.instance_id, f.seq
      FROM (SELECT own.* FROM fact own WHERE own.root_id = of_root
            UNION ALL
            SELECT about.* FROM fact about WHERE about.subject = ANY (of_subjects) AND about.root_id <> of_root
            UNION ALL
            SELECT hers.* FROM fact hers WHERE hers.person_id = of_person AND hers.root_id <> of_root AND hers.subject <> ALL (of_subjects)
               AND (hers.subject LIKE 'person:%' OR hers.subject LIKE 'membre:%')) f
     WHERE f.field || '' = ANY (fields)
     ORDER BY f.fact_id;
END $$;
CREATE INDEX fact_history_of_root ON fact (root_id);
CREATE INDEX fact_history_of_person ON fact (person_id);
CREATE INDEX fact_history_of_subject ON fact (subject);

REVOKE EXECUTE ON FUNCTION masar_fact_history FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_fact_history TO masar_app;
