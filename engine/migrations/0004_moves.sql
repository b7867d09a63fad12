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
      FROM (SELECT own.* FROM fact own WHERE own.root_id = of_root AND own.is_current
            UNION ALL
            SELECT own.* FROM fact own WHERE own.root_id = of_root AND NOT own.is_current
            UNION ALL
            SELECT about.* FROM fact about WHERE about.subject = ANY (of_subjects) AND about.is_current AND about.root_id <> of_root
            UNION ALL
            SELECT about.* FROM fact about WHERE about.subject = ANY (of_subjects) AND NOT about.is_current AND about.root_id <> of_root
            UNION ALL
            SELECT hers.* FROM fact hers WHERE hers.person_id = of_person AND hers.is_current AND hers.root_id <> of_root AND hers.subject <> ALL (of_subjects)
               AND (hers.subject LIKE 'person:%' OR hers.subject LIKE 'membre:%')
            UNION ALL
            SELECT hers.* FROM fact hers WHERE hers.person_id = of_person AND NOT hers.is_current AND hers.root_id <> of_root AND hers.subject <> ALL (of_subjects)
               AND (hers.subject LIKE 'person:%' OR hers.subject LIKE 'membre:%')) f
     WHERE f.field IN (SELECT unnest(fields))
     ORDER BY f.fact_id;
END $$;
-- Of the replaced ones only: recording a fact touches none of these.
CREATE INDEX fact_replaced_of_root ON fact (root_id) WHERE NOT is_current;
CREATE INDEX fact_replaced_of_person ON fact (person_id) WHERE NOT is_current;
CREATE INDEX fact_replaced_of_subject ON fact (subject) WHERE NOT is_current;

REVOKE EXECUTE ON FUNCTION masar_fact_history FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_fact_history TO masar_app;

-- What goes on in an instance that was moved, as its new edition has it. Who holds a task keeps it, but where another role does it from now on.
CREATE FUNCTION masar_go_on(of_instance uuid, of_edition uuid, kept jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE open_task t SET process = r.process, node = r.node, names = r.names, kind = r.kind, form = r.form, subject = r.subject, subjects = r.subjects, agency = r.agency,
           branch = r.branch, role = r.role, apart = r.apart,
           holder_id = CASE WHEN (t.agency, t.branch, t.role) = (r.agency, r.branch, r.role) THEN t.holder_id END,
           claimed_at = CASE WHEN (t.agency, t.branch, t.role) = (r.agency, r.branch, r.role) THEN t.claimed_at END
      FROM jsonb_to_recordset(kept -> 'tasks') AS r(position text, process text, node text, names jsonb, kind text, form text, subject text, subjects jsonb, agency text,
           branch text, role text, apart jsonb)
     WHERE t.instance_id = of_instance AND t.position = r.position
       AND (t.process, t.node, t.names, t.kind, t.form, t.subject, t.subjects, t.agency, t.branch, t.role, t.apart)
           IS DISTINCT FROM (r.process, r.node, r.names, r.kind, r.form, r.subject, r.subjects, r.agency, r.branch, r.role, r.apart);
    UPDATE wait w SET node = r.node, name = r.name, labels = r.labels, awaits = r.awaits
      FROM jsonb_to_recordset(kept -> 'waits') AS r(position text, node text, name text, labels jsonb, awaits text)
     WHERE w.instance_id = of_instance AND w.position = r.position AND (w.node, w.name, w.labels, w.awaits) IS DISTINCT FROM (r.node, r.name, r.labels, r.awaits);
    UPDATE incident n SET node = r.node FROM jsonb_to_recordset(kept -> 'incidents') AS r(position text, node text)
     WHERE n.instance_id = of_instance AND n.position = r.position AND n.resolved_at IS NULL AND n.node <> r.node;
    UPDATE instance SET edition_id = of_edition WHERE instance_id = of_instance;
END $$;
-- The rows of an instance as they were before it was moved, every column of them.
CREATE FUNCTION masar_put_back(of_instance uuid, former jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM open_task WHERE instance_id = of_instance;
    INSERT INTO open_task (task_id, instance_id, root_id, position, process, node, names, kind, form, subject, subjects, agency, branch, role, holder_id, opened_at,
                           claimed_at, due_at, version, apart, case_number, case_branch, stage, priority, remind_at, reminders)
    SELECT task_id, instance_id, root_id, position, process, node, names, kind, form, subject, subjects, agency, branch, role, holder_id, opened_at,
           claimed_at, due_at, version, apart, case_number, case_branch, stage, priority, remind_at, reminders
      FROM jsonb_populate_recordset(NULL::open_task, former -> 'tasks');
    DELETE FROM wait WHERE instance_id = of_instance;
    INSERT INTO wait SELECT * FROM jsonb_populate_recordset(NULL::wait, former -> 'waits');
    UPDATE incident n SET node = r.node, resolved_at = NULL, resolved_by = NULL
      FROM jsonb_populate_recordset(NULL::incident, former -> 'incidents') r WHERE n.incident_id = r.incident_id AND n.instance_id = of_instance;
    UPDATE incident n SET resolved_at = masar_now() WHERE n.instance_id = of_instance AND n.resolved_at IS NULL
       AND n.incident_id <> ALL (ARRAY(SELECT r.incident_id FROM jsonb_populate_recordset(NULL::incident, former -> 'incidents') r));
    UPDATE instance SET edition_id = (former -> 'instance' ->> 'edition_id')::uuid WHERE instance_id = of_instance;
END $$;
REVOKE EXECUTE ON FUNCTION masar_go_on, masar_put_back FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_go_on, masar_put_back TO masar_app;
