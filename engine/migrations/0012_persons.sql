-- Persons: found however their names are spelled, told apart or made one by people.
-- Tokens of skeletons (beneficiaries.py) for whoever was known before: single words, and every two of them. Of names without a birth they come when they are said again.
INSERT INTO person_token (person_id, kind, token)
SELECT DISTINCT t.person_id, 'bone', w FROM person_token t, unnest(string_to_array(split_part(t.token, '|', 1), ' ')) w WHERE t.kind = 'namebirth' AND w <> '' ON CONFLICT DO NOTHING;
INSERT INTO person_token (person_id, kind, token)
SELECT DISTINCT t.person_id, 'pair', a || ' ' || b
  FROM (SELECT person_id, string_to_array(split_part(token, '|', 1), ' ') AS words FROM person_token WHERE kind = 'namebirth') t, unnest(words) a, unnest(words) b
 WHERE a COLLATE "C" < b COLLATE "C" AND (cardinality(words) <= 2 OR 'bn' NOT IN (a, b)) ON CONFLICT DO NOTHING;
-- A list of persons looks the cases of many facts up: one by one, never all cases at once (see 0001 on EXISTS).
ALTER POLICY class_and_case ON fact USING (
    masar_is_system() OR (masar_sees_class(class) AND (
        SELECT true FROM instance i WHERE i.instance_id = fact.root_id AND masar_shared_with_me(i.is_shared, fact.author_agency)
           AND (fact.class <> 'H' OR i.social_worker_id = masar_setting('user_id')::uuid) LIMIT 1)));
