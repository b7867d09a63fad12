-- Whatever is asked of one instance's facts, those that hold and those that do no more (the proof of its rows, the erasure of it), read the facts of the land.
CREATE INDEX fact_of_instance ON fact (instance_id);
DROP INDEX fact_of_quorum;  -- a part of it
-- Whether somebody steers all there is, once for a statement instead of once a row.
ALTER POLICY of_who_steers ON passage USING ((SELECT masar_is_system() OR (masar_steers() AND current_setting('masar.reach', true) = 'all')) OR ((SELECT masar_steers()) AND instance_id IN (SELECT i.instance_id FROM instance i)));
ALTER POLICY of_who_steers ON asked USING ((SELECT masar_is_system() OR (masar_steers() AND current_setting('masar.reach', true) = 'all')) OR ((SELECT masar_steers()) AND instance_id IN (SELECT i.instance_id FROM instance i)));
-- Who was told apart from somebody stays so from whoever that one is made one with, for as long as they are one.
CREATE OR REPLACE FUNCTION masar_told_apart(of_person uuid) RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ WITH RECURSIVE mine AS (SELECT of_person AS person_id UNION SELECT masar_merged_into(of_person)),
            those AS (SELECT other AS person_id FROM told_apart WHERE one IN (SELECT person_id FROM mine) UNION SELECT one FROM told_apart WHERE other IN (SELECT person_id FROM mine)
                      UNION SELECT p.merged_into FROM person p JOIN those t USING (person_id) WHERE p.merged_into IS NOT NULL)
       SELECT person_id FROM those $$;
