-- What an auditor and whoever answered her wrote of a case goes with its person; so does what recognised her on a list of those expected.
CREATE FUNCTION masar_forget_findings(of_person uuid) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    mine uuid[] := masar_instances_of(of_person);
    those uuid[] := ARRAY(SELECT f.finding_id FROM finding f WHERE f.instance_id = ANY (mine));
BEGIN
    IF NOT masar_is_system() AND NOT EXISTS (SELECT FROM erasure e WHERE e.person_id = of_person AND e.state = 'done' AND e.xid = pg_current_xact_id()) THEN
        RAISE EXCEPTION 'nobody approved the erasure of this person' USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE finding SET said = '—' WHERE finding_id = ANY (those);
    UPDATE finding_word SET said = '—' WHERE finding_id = ANY (those);
    -- Under a key that never was: what the journal sealed of them opens no more, and its chain holds.
    UPDATE journal_line j SET key_id = f.finding_id, ciphertext = '\x00' FROM finding f WHERE f.finding_id = ANY (those) AND j.about = 'finding:' || f.finding_id AND j.ciphertext IS NOT NULL;
    DELETE FROM charter_line WHERE instance_id = ANY (mine);
    RETURN cardinality(those);
END $$;
-- The findings whose words went with a person, as her cases' lines tell.
CREATE FUNCTION masar_forgotten_findings() RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT f.finding_id FROM finding f WHERE masar_is_system() AND EXISTS (SELECT FROM ledger_line l WHERE l.instance_id = f.instance_id
          AND l.kind IN ('person.erased', 'person.erased_in_part') AND l.at::timestamptz >= f.opened_at) $$;
REVOKE EXECUTE ON FUNCTION masar_forget_findings(uuid), masar_forgotten_findings() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_forget_findings(uuid), masar_forgotten_findings() TO masar_app;
