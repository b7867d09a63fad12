-- What is not foreseen (casework.exceptions, casework.orders).

-- `suspended_at`: since when its clocks stand still. `also_read_by`: the branch a case is offered to, or that it came from, reads it too, until then.
ALTER TABLE instance ADD COLUMN suspended_at timestamptz, ADD COLUMN also_read_by text NOT NULL DEFAULT '', ADD COLUMN also_read_until timestamptz,
    ADD COLUMN payments_held boolean NOT NULL DEFAULT false;  -- while a fraud, a death or a departure is looked into

-- The clocks of a suspended case: when each would have been due, and since when it stands still.
CREATE TABLE stopped_clock (
    instance_id uuid NOT NULL REFERENCES instance, position text NOT NULL, kind text NOT NULL CHECK (kind IN ('task', 'timer')), root_id uuid NOT NULL,
    node text NOT NULL, names jsonb NOT NULL DEFAULT '{}', due_at timestamptz NOT NULL, remind_at timestamptz, stopped_at timestamptz NOT NULL,
    PRIMARY KEY (instance_id, kind, position)
);
CREATE INDEX stopped_clock_by_root ON stopped_clock (root_id);
ALTER TABLE stopped_clock ENABLE ROW LEVEL SECURITY;
ALTER TABLE stopped_clock FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_owner ON stopped_clock TO CURRENT_USER USING (current_user <> 'masar_app') WITH CHECK (current_user <> 'masar_app');
CREATE POLICY of_a_case_in_reach ON stopped_clock FOR SELECT TO masar_app USING ((SELECT true FROM instance i WHERE i.instance_id = stopped_clock.instance_id LIMIT 1));
CREATE POLICY stopped_by_the_system ON stopped_clock FOR INSERT TO masar_app WITH CHECK (masar_is_system() AND masar_may_write());
CREATE POLICY started_by_the_system ON stopped_clock FOR DELETE TO masar_app USING (masar_is_system() AND masar_may_write());
GRANT SELECT, INSERT, DELETE ON stopped_clock TO masar_app;

-- A case of another branch that one's own reads too: to read, never to write.
CREATE FUNCTION masar_reads_too(of_branch text, of_until timestamptz) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT of_branch <> '' AND current_setting('masar.reach', true) = 'branch' AND of_branch = current_setting('masar.branch', true)
              AND (of_until IS NULL OR of_until > masar_now()) $$;
DROP POLICY in_reach ON instance;
CREATE POLICY in_reach ON instance FOR SELECT TO masar_app USING (masar_reaches(branch, root_id, subject) OR masar_reads_too(also_read_by, also_read_until));
-- Whoever hands something to another branch has it in reach before, and reads it still.
DROP POLICY change_in_reach ON instance;
CREATE POLICY change_in_reach ON instance FOR UPDATE TO masar_app USING (masar_may_write() AND masar_reaches(branch, root_id, subject))
    WITH CHECK (masar_may_write() AND (masar_reaches(branch, root_id, subject) OR masar_reads_too(also_read_by, also_read_until)));
-- Who reads it too sends it nothing: a message moves a case. (Whatever runs as the owner, `masar_addressee_anywhere`, asks of all.)
CREATE OR REPLACE FUNCTION masar_addressee(of_key text) RETURNS boolean LANGUAGE sql STABLE AS
    $$ WITH mine AS NOT MATERIALIZED (SELECT i.instance_id, i.number FROM instance i WHERE current_user <> 'masar_app' OR masar_reaches(i.branch, i.root_id, i.subject))
       SELECT EXISTS (SELECT FROM mine i WHERE i.instance_id = CASE WHEN of_key ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' THEN of_key::uuid END)
           OR EXISTS (SELECT FROM mine i WHERE i.number = of_key)
           OR EXISTS (SELECT FROM wait w JOIN mine i USING (instance_id) WHERE w.kind = 'message' AND w.correlation = of_key)
           OR EXISTS (SELECT FROM fact f JOIN mine i ON i.instance_id = f.root_id WHERE f.is_current AND f.subject = ANY (ARRAY['aide:' || of_key, 'mesure:' || of_key])) $$;

CREATE OR REPLACE FUNCTION masar_snapshot(of_root uuid, of_person uuid, of_subjects text[], of_fields text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE fields text[] := string_to_array(of_fields, ' ');
BEGIN
    IF NOT EXISTS (SELECT FROM instance i WHERE i.instance_id = of_root
                      AND (masar_reaches(i.branch, i.root_id, i.subject) OR masar_reads_too(i.also_read_by, i.also_read_until))) THEN
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

-- Who did one task of a dossier does not do the one that the diagram keeps apart from it. What runs beside a case (an appeal) looks through the whole of it:
-- its road, its dossiers, and the sittings that decided of them.
CREATE OR REPLACE FUNCTION masar_did_before(of_task uuid, of_user uuid) RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE task record;
BEGIN
    SELECT t.instance_id, t.root_id, t.subjects, t.apart, i.subject LIKE 'imprevu:%' AS is_beside INTO task
      FROM open_task t JOIN instance i USING (instance_id) WHERE t.task_id = of_task AND t.apart <> '{}';
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    -- The dossier of the task and, at a sitting, the one of the aid it is about.
    RETURN (SELECT d.node FROM task_done d
             WHERE d.instance_id IN (SELECT task.instance_id UNION SELECT i.instance_id FROM jsonb_array_elements_text(task.subjects) s JOIN instance i ON i.subject = s
                                     UNION SELECT i.instance_id FROM instance i WHERE task.is_beside AND i.root_id = task.root_id
                                     UNION SELECT s.instance_id FROM instance a JOIN instance s ON s.process = 'seance_commission' AND s.scope -> 'aide' ? split_part(a.subject, ':', 2)
                                            WHERE task.is_beside AND a.root_id = task.root_id AND a.subject LIKE 'aide:%')
               AND task.apart ? d.node AND d.done_by = of_user AND d.outcome = 'completed' ORDER BY d.done_at DESC LIMIT 1);
END $$;
