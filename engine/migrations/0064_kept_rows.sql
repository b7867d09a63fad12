-- A case kept to OTE is no row for the other agencies (dossier.consents): neither itself nor its parts. What somebody began beside its road they know by its own row as long as
-- something of it is theirs to do, and nothing of the case. Of a case its own column says so; only of a part is its case asked.
CREATE FUNCTION masar_is_writing() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT masar_may_write() AND current_setting('transaction_read_only') = 'off' $$;
-- Whether whoever asks is of an agency that cases are kept from: asked once a statement (`SELECT` keeps the question out of the rows).
CREATE FUNCTION masar_is_other_agency() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT coalesce(current_setting('masar.agency', true) IN ('CPS', 'ANETI'), false) AND NOT masar_is_system() $$;
CREATE FUNCTION masar_part_is_kept(of_instance uuid, of_root uuid, of_subject text) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM instance r WHERE r.instance_id = of_root AND r.is_kept) THEN
        RETURN false;
    END IF;
    RETURN of_subject NOT LIKE 'imprevu:%' OR NOT (masar_is_writing() OR EXISTS (SELECT FROM open_task t WHERE t.instance_id = of_instance AND t.agency = masar_setting('agency')));
END $$;
CREATE POLICY not_kept ON instance AS RESTRICTIVE FOR SELECT TO masar_app USING (
    NOT ((SELECT masar_is_other_agency()) AND CASE WHEN instance_id = root_id THEN is_kept ELSE masar_part_is_kept(instance_id, root_id, subject) END));

-- Rows that are reached otherwise than by their case. A step of what runs beside the road meets its own; a page shows them to nobody from whom the case is kept.
CREATE FUNCTION masar_row_is_kept(of_instance uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM instance i JOIN instance r ON r.instance_id = i.root_id WHERE i.instance_id = of_instance AND r.is_kept AND NOT (i.subject LIKE 'imprevu:%' AND masar_is_writing()));
END $$;
CREATE POLICY not_kept ON wait AS RESTRICTIVE FOR SELECT TO masar_app USING (NOT ((SELECT masar_is_other_agency()) AND masar_row_is_kept(instance_id)));
CREATE POLICY not_kept ON incident AS RESTRICTIVE FOR SELECT TO masar_app USING (NOT ((SELECT masar_is_other_agency()) AND masar_row_is_kept(instance_id)));
CREATE POLICY not_kept ON appointment AS RESTRICTIVE FOR SELECT TO masar_app USING (NOT ((SELECT masar_is_other_agency()) AND masar_row_is_kept(instance_id)));
CREATE FUNCTION masar_instance_of_task(of_task uuid) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT instance_id FROM open_task WHERE task_id = of_task $$;
CREATE POLICY not_kept ON draft AS RESTRICTIVE FOR SELECT TO masar_app
    USING (NOT ((SELECT masar_is_other_agency()) AND masar_is_kept(masar_instance_of_task(task_id))));

-- What is answered beside the road of a case is written with that part's own row, and read again there by the agency that wrote it.
ALTER POLICY class_and_case_written ON fact WITH CHECK (
    masar_may_write() AND (masar_writes_class(class) OR source ->> 'kind' IN ('system', 'signal', 'case'))
    AND ((SELECT true FROM instance i WHERE i.instance_id = fact.root_id LIMIT 1)
         OR (SELECT true FROM instance i WHERE i.instance_id = fact.instance_id AND i.root_id = fact.root_id LIMIT 1)
         OR (SELECT true FROM instance i WHERE i.instance_id = fact.instance_id AND i.subject LIKE 'seance:%' AND i.scope -> 'aide' ? split_part(fact.subject, ':', 2) LIMIT 1)));
CREATE POLICY of_what_runs_beside ON fact FOR SELECT TO masar_app USING (
    author_agency = current_setting('masar.agency', true) AND subject LIKE 'imprevu:%' AND class <> 'H' AND masar_sees_class(class)
    AND (SELECT true FROM instance i WHERE i.instance_id = fact.instance_id AND i.root_id = fact.root_id AND i.subject = fact.subject LIMIT 1));
-- Her own files become the case's with her answer, whether or not she may read the case's papers then.
CREATE FUNCTION masar_attach(ids uuid[], classes text[], of_root uuid) RETURNS SETOF uuid LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ UPDATE document d SET root_id = of_root, class = n.class FROM unnest(ids, classes) AS n(document_id, class)
        WHERE d.document_id = n.document_id AND d.root_id IS NULL AND d.uploaded_by = masar_setting('user_id')::uuid AND masar_is_writing() RETURNING d.document_id $$;
-- The number that its tasks bear, whoever completes one.
CREATE FUNCTION masar_number_of(of_case uuid) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT number FROM instance WHERE instance_id = of_case AND masar_is_writing() $$;

-- A receipt says who is waited for: of a case kept to OTE nobody else.
CREATE OR REPLACE FUNCTION masar_receipt(of_code text) RETURNS TABLE (stage text, status text, agency text, waiting_since timestamptz, next_due timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT i.stage, i.status, t.agency, t.opened_at, t.due_at FROM instance r
         JOIN LATERAL (SELECT c.* FROM instance c WHERE c.instance_id = r.instance_id
                          OR (r.process = 'signalement' AND r.status = 'ended' AND c.person_id = r.person_id AND c.process = 'parcours' AND c.root_id = c.instance_id)
                        ORDER BY c.opened_at DESC LIMIT 1) i ON true
         LEFT JOIN LATERAL (SELECT CASE WHEN o.agency IN ('CPS', 'ANETI') AND masar_is_kept(o.instance_id) THEN 'OTE' ELSE o.agency END AS agency, o.opened_at, o.due_at
                              FROM open_task o WHERE o.root_id = i.instance_id ORDER BY o.sort_due LIMIT 1) t ON true
        WHERE r.receipt_code = of_code $$;
-- The agenda on an agent's telephone leaves out what she may know no more.
CREATE OR REPLACE FUNCTION masar_agenda(of_digest bytea) RETURNS TABLE (appointment_id uuid, number text, branch text, place text, begins_at timestamptz, ends_at timestamptz,
        state text, changes integer, changed_at timestamptz, language text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT a.appointment_id, i.number, a.branch, a.place, lower(a.during), upper(a.during), a.state, a.changes, a.changed_at, u.language
         FROM calendar_feed f JOIN user_account u ON u.user_id = f.user_id AND u.is_active
         LEFT JOIN (appointment a JOIN instance i USING (instance_id)) ON a.agent_id = f.user_id AND lower(a.during) > masar_now() - interval '30 days'
              AND (u.agency <> 'PART' OR (i.is_shared_operator AND u.user_id = ANY (i.assigned))) AND NOT (u.agency IN ('CPS', 'ANETI') AND i.is_kept)
        WHERE f.secret_digest = of_digest ORDER BY lower(a.during) LIMIT 1000 $$;
-- What an auditor found at a case, and what was answered, tells of it.
CREATE POLICY not_kept ON finding AS RESTRICTIVE FOR SELECT TO masar_app USING (NOT ((SELECT masar_is_other_agency()) AND instance_id IS NOT NULL AND masar_case_is_kept(instance_id)));

REVOKE EXECUTE ON FUNCTION masar_is_writing, masar_is_other_agency, masar_part_is_kept, masar_row_is_kept, masar_instance_of_task, masar_attach, masar_number_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_is_writing, masar_is_other_agency, masar_part_is_kept, masar_row_is_kept, masar_instance_of_task, masar_attach, masar_number_of TO masar_app;
