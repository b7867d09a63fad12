-- What runs out by the calendar alone (casework.lapses): a paper, the signature of a guardian. `awaits`: `person`, or the agency that makes the paper; `needed_by`: the tasks and parts of the case
-- that need it; `told_at`: when whoever answers for it was told, from when on it is awaited; `closed_at`: once it is no more.
CREATE TABLE lapse (
    fact_id bigint PRIMARY KEY REFERENCES fact ON DELETE CASCADE, root_id uuid NOT NULL REFERENCES instance, piece text NOT NULL, awaits text NOT NULL, runs_out_at timestamptz NOT NULL,
    needed_by uuid[] NOT NULL, looked_at timestamptz NOT NULL, told_at timestamptz, closed_at timestamptz
);
CREATE INDEX lapse_awaited ON lapse (root_id) WHERE told_at IS NOT NULL AND closed_at IS NULL;
CREATE INDEX fact_runs_out ON fact (field, valid_until) WHERE is_current AND valid_until IS NOT NULL;
CREATE INDEX fact_of_guardian ON fact (root_id) WHERE is_current AND field = 'consentement.signature_tuteur';
ALTER TABLE lapse ENABLE ROW LEVEL SECURITY;
ALTER TABLE lapse FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_owner ON lapse TO CURRENT_USER USING (current_user <> 'masar_app') WITH CHECK (current_user <> 'masar_app');
-- Whoever may read an answer may read that it runs out, and nobody else.
CREATE POLICY as_its_fact ON lapse FOR SELECT TO masar_app USING (masar_is_system() OR (SELECT true FROM fact f WHERE f.fact_id = lapse.fact_id LIMIT 1));
CREATE POLICY by_the_system ON lapse FOR INSERT TO masar_app WITH CHECK (masar_is_system() AND masar_may_write());
CREATE POLICY changed_by_the_system ON lapse FOR UPDATE TO masar_app USING (masar_is_system() AND masar_may_write());
GRANT SELECT, INSERT, UPDATE ON lapse TO masar_app;

-- Whether what runs out is awaited still: nothing took its place nor came since, the case is open, and something needs it (an aid no more once its contract is signed).
CREATE FUNCTION masar_still_lapses(of_fact bigint) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT EXISTS (SELECT FROM lapse l JOIN fact f USING (fact_id) JOIN instance i ON i.instance_id = l.root_id
         WHERE l.fact_id = of_fact AND l.told_at IS NOT NULL AND l.closed_at IS NULL AND f.is_current AND i.status = 'open'
           AND CASE WHEN l.piece = '' THEN NOT EXISTS (SELECT FROM fact s WHERE s.root_id = l.root_id AND s.field = 'consentement.signature' AND s.is_current AND s.status = 'known' AND s.fact_id > l.fact_id)
               ELSE NOT EXISTS (SELECT FROM received_piece p JOIN document d USING (document_id)
                                 WHERE p.instance_id = l.root_id AND p.piece = l.piece AND d.class = f.class AND p.received_at >= l.told_at)
                AND (EXISTS (SELECT FROM open_task t WHERE t.task_id = ANY (l.needed_by))
                     OR EXISTS (SELECT FROM instance d WHERE d.instance_id = ANY (l.needed_by) AND d.status = 'open'
                                   AND NOT EXISTS (SELECT FROM fact s WHERE s.subject = d.subject AND s.field = 'aide.contrat_signe_le' AND s.is_current AND s.status = 'known'))) END) $$;
CREATE OR REPLACE FUNCTION masar_receipt_next(of_code text) RETURNS TABLE (opened_at timestamptz, person_since timestamptz, begins_at timestamptz, ends_at timestamptz, place text, branch text, agency text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT c.opened_at, least((SELECT min(w.opened_at) FROM wait w JOIN instance p USING (instance_id) WHERE p.root_id = c.instance_id AND w.awaits = 'person'),
                                 (SELECT min(l.told_at) FROM lapse l WHERE l.root_id = c.instance_id AND l.awaits = 'person' AND masar_still_lapses(l.fact_id))),
              lower(a.during), upper(a.during), a.place, a.branch, a.agency
         FROM masar_receipt_case(of_code) c
         LEFT JOIN LATERAL (SELECT * FROM appointment a WHERE a.instance_id = c.instance_id AND a.state = 'set' AND upper(a.during) > masar_now() ORDER BY a.during LIMIT 1) a ON true $$;
-- A paper that came does not do: another is awaited anew. Whoever works in the case and writes answers of its class says so.
CREATE FUNCTION masar_await_again(of_case uuid, of_piece text, of_class text) RETURNS boolean LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT masar_may_write() OR NOT masar_writes_class(of_class) OR NOT EXISTS (SELECT FROM instance i WHERE i.instance_id = of_case AND masar_reaches(i.branch, i.root_id, i.subject)) THEN
        RETURN false;
    END IF;
    UPDATE lapse l SET told_at = masar_now(), closed_at = NULL FROM fact f
     WHERE f.fact_id = l.fact_id AND f.is_current AND f.class = of_class AND l.root_id = of_case AND l.piece = of_piece AND l.told_at IS NOT NULL;
    RETURN FOUND;
END $$;
-- What was handed to a guardian with the receipt opens nothing from the day the person is of age: she is given her own.
CREATE FUNCTION masar_end_receipt_secret(of_case uuid) RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF masar_is_system() AND masar_may_write() THEN
        DELETE FROM receipt_session WHERE instance_id = of_case;
        DELETE FROM receipt_secret WHERE instance_id = of_case;
    END IF;
END $$;
REVOKE EXECUTE ON FUNCTION masar_still_lapses(bigint), masar_end_receipt_secret(uuid), masar_await_again(uuid, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_still_lapses(bigint), masar_end_receipt_secret(uuid), masar_await_again(uuid, text, text) TO masar_app;
