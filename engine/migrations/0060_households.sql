-- Members of a household who come as persons of their own are recognised: first name and day of birth, as the list said last of all her cases has them.
CREATE FUNCTION masar_household(of_person uuid) RETURNS TABLE (first_name text, birth text) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT n.value #>> '{}', b.value #>> '{}'
         FROM (SELECT f.value FROM fact f WHERE f.person_id = of_person AND f.field = 'foyer.membres' AND f.is_current ORDER BY f.fact_id DESC LIMIT 1) l,
              jsonb_array_elements_text(CASE jsonb_typeof(l.value) WHEN 'array' THEN l.value ELSE '[]' END) m
         JOIN fact n ON n.subject = 'membre:' || m AND n.field = 'membre.prenom' AND n.is_current AND n.status = 'known'
         JOIN fact b ON b.subject = 'membre:' || m AND b.field = 'membre.naissance' AND b.is_current AND b.status = 'known' $$;
-- These tokens in place of the former ones, whatever the writer may read: none is left behind of a member who is no longer one.
CREATE FUNCTION masar_keep_household(of_person uuid, said jsonb) RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ DELETE FROM person_token k WHERE k.person_id = of_person AND k.kind IN ('household', 'household_part') AND masar_may_write()
          AND NOT EXISTS (SELECT FROM jsonb_to_recordset(said) AS r(kind text, token text) WHERE r.kind = k.kind AND r.token = k.token);
       INSERT INTO person_token (person_id, kind, token) SELECT DISTINCT of_person, r.kind, r.token FROM jsonb_to_recordset(said) AS r(kind text, token text)
        WHERE masar_may_write() ON CONFLICT DO NOTHING $$;
REVOKE EXECUTE ON FUNCTION masar_household(uuid), masar_keep_household(uuid, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_household(uuid), masar_keep_household(uuid, jsonb) TO masar_app;

-- Whoever sent a paper of a case reads it no more once the person takes C1 back; until then its sender's row is hers to attach, whatever its class.
ALTER POLICY class_and_case ON document USING (
    masar_is_system() OR (uploaded_by = masar_setting('user_id')::uuid AND (root_id IS NULL OR NOT (masar_is_partner() OR masar_is_kept_from_me(root_id, ''))))
    OR (root_id IS NOT NULL AND masar_sees_class(class) AND (SELECT true FROM instance i WHERE i.instance_id = document.root_id
         AND masar_shared_with_me(i.is_shared, '') AND (document.class <> 'H' OR i.social_worker_id = masar_setting('user_id')::uuid) LIMIT 1)));
