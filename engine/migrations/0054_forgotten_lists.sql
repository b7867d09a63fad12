-- A charter's list that told of somebody goes whole with her, with what recognised its lines: each of the others has had a signal of her own since the list was announced.
CREATE FUNCTION masar_lists_of_person(of_person uuid) RETURNS TABLE (instance_id uuid, person_id uuid) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT i.instance_id, i.person_id FROM instance i WHERE i.process = 'signalement' AND i.root_id = i.instance_id AND i.person_id <> of_person
          AND i.number IN (SELECT f.source ->> 'label' FROM fact f WHERE f.person_id = of_person AND f.source ->> 'kind' = 'signal')
          AND EXISTS (SELECT FROM fact f WHERE f.root_id = i.instance_id) $$;
CREATE OR REPLACE FUNCTION masar_instances_of_person(of_person uuid) RETURNS TABLE (instance_id uuid, seq bigint, head bytea, edition integer, subjects text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT i.instance_id, i.seq, i.head, e.number,
              ARRAY(SELECT DISTINCT f.subject FROM fact f WHERE f.instance_id = i.instance_id AND f.person_id = of_person AND i.person_id IS DISTINCT FROM of_person ORDER BY 1)
         FROM instance i JOIN edition e USING (edition_id)
        WHERE i.person_id = of_person OR i.root_id IN (SELECT r.instance_id FROM instance r WHERE r.person_id = of_person)
           OR i.instance_id IN (SELECT f.instance_id FROM fact f WHERE f.person_id = of_person)
           OR i.instance_id IN (SELECT l.instance_id FROM masar_lists_of_person(of_person) l) ORDER BY 1 $$;
CREATE FUNCTION masar_forget_lists(of_person uuid) RETURNS SETOF uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    lists uuid[] := ARRAY(SELECT instance_id FROM masar_lists_of_person(of_person));
BEGIN
    IF NOT masar_is_system() AND NOT EXISTS (SELECT FROM erasure e WHERE e.person_id = of_person AND e.state = 'done' AND e.xid = pg_current_xact_id()) THEN
        RAISE EXCEPTION 'nobody approved the erasure of this person' USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM fact WHERE root_id = ANY (lists);
    DELETE FROM charter_line WHERE instance_id = ANY (lists);
    UPDATE message SET payload = '{}' WHERE sender_id = ANY (lists);
    RETURN QUERY SELECT i.person_id FROM instance i WHERE i.instance_id = ANY (lists);
END $$;
REVOKE EXECUTE ON FUNCTION masar_lists_of_person(uuid), masar_forget_lists(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_forget_lists(uuid) TO masar_app;
