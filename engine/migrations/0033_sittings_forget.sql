-- What a sitting says of somebody's aid goes with her: it lies under her key, and its papers lose what they tell of her.
-- Each line says under whose key it was sealed (`person`); where it says nobody's, under the instance's person's.
CREATE OR REPLACE FUNCTION masar_append(of_instance uuid, of_person uuid, lines jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger_line (instance_id, seq, kind, line, hash)
    SELECT of_instance, r.seq, r.kind, r.line, decode(r.hash, 'base64') FROM jsonb_to_recordset(lines) AS r(seq bigint, kind text, line text, hash text) ORDER BY r.seq;
    INSERT INTO ledger_sealed (instance_id, seq, person_id, ciphertext)
    SELECT of_instance, r.seq, coalesce(r.person, of_person), decode(r.ciphertext, 'base64') FROM jsonb_to_recordset(lines) AS r(seq bigint, person uuid, ciphertext text) WHERE r.ciphertext IS NOT NULL;
END $$;
CREATE INDEX letter_about ON letter USING gin (about) WHERE about <> '{}';
CREATE FUNCTION masar_aids_of_person(of_person uuid) RETURNS uuid[] LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT ARRAY(SELECT split_part(i.subject, ':', 2)::uuid FROM instance i WHERE i.person_id = of_person AND i.process = 'dossier_aide' AND starts_with(i.subject, 'aide:')) $$;
-- The instances whose ledger tells of the erasure: the person's own, and the sittings that wrote of her (`subjects`: of which aids).
CREATE OR REPLACE FUNCTION masar_instances_of_person(of_person uuid) RETURNS TABLE (instance_id uuid, seq bigint, head bytea, edition integer, subjects text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ WITH told AS (SELECT f.instance_id, f.subject FROM fact f WHERE f.person_id = of_person
                     UNION SELECT s.instance_id, NULL FROM ledger_sealed s WHERE s.person_id = of_person OR s.person_id IN (SELECT masar_merged_into(of_person))
                     UNION SELECT l.instance_id, 'aide:' || a FROM letter l, unnest(l.about) a WHERE l.about <> '{}' AND l.about && masar_aids_of_person(of_person) AND a = ANY (masar_aids_of_person(of_person)))
       SELECT i.instance_id, i.seq, i.head, e.number,
              ARRAY(SELECT DISTINCT t.subject FROM told t WHERE t.instance_id = i.instance_id AND t.subject IS NOT NULL AND i.person_id IS DISTINCT FROM of_person ORDER BY 1)
         FROM instance i JOIN edition e USING (edition_id)
        WHERE i.person_id = of_person OR i.root_id IN (SELECT r.instance_id FROM instance r WHERE r.person_id = of_person) OR i.instance_id IN (SELECT t.instance_id FROM told t) ORDER BY 1 $$;
-- The papers that sittings wrote of somebody's aids: what they tell of those goes, unless all that was said of them is kept. Papers of class F are accounting pieces.
CREATE FUNCTION masar_papers_of_person(of_person uuid, kept_fields text[]) RETURNS TABLE (letter_id uuid, instance_id uuid, content jsonb, aids text[], numbers text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT l.letter_id, l.instance_id, l.content, masar_aids_of_person(of_person)::text[], ARRAY(SELECT i.number FROM instance i WHERE i.person_id = of_person AND i.number IS NOT NULL)
         FROM letter l WHERE l.about <> '{}' AND l.about && masar_aids_of_person(of_person) AND masar_is_approved(of_person, kept_fields)
          AND (kept_fields IS NULL OR (l.class <> 'F' AND EXISTS (SELECT FROM fact f WHERE f.subject = ANY (SELECT 'aide:' || a FROM unnest(masar_aids_of_person(of_person)) a) AND f.field <> ALL (kept_fields))))
        ORDER BY 1 $$;
CREATE FUNCTION masar_forget_at_sittings(of_person uuid, kept_fields text[], papers jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT masar_is_approved(of_person, kept_fields) THEN
        RAISE EXCEPTION 'nobody approved the erasure of this person' USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE message SET payload = '{}' WHERE correlation = ANY (masar_aids_of_person(of_person)::text[]) AND payload <> '{}';
    UPDATE letter l SET content = p.content FROM jsonb_to_recordset(papers) AS p(letter_id uuid, content jsonb)
     WHERE l.letter_id = p.letter_id AND l.letter_id IN (SELECT m.letter_id FROM masar_papers_of_person(of_person, kept_fields) m);
END $$;
REVOKE EXECUTE ON FUNCTION masar_aids_of_person(uuid), masar_papers_of_person(uuid, text[]), masar_forget_at_sittings(uuid, text[], jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_papers_of_person(uuid, text[]), masar_forget_at_sittings(uuid, text[], jsonb) TO masar_app;
