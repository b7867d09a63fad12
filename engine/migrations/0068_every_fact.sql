-- Whatever is asked of one instance's facts, those that hold and those that do no more (the proof of its rows, the erasure of it), read the facts of the land.
CREATE INDEX fact_of_instance ON fact (instance_id);
DROP INDEX fact_of_quorum;  -- a part of it
-- Whether somebody steers all there is, once for a statement instead of once a row.
ALTER POLICY of_who_steers ON passage USING ((SELECT masar_is_system() OR (masar_steers() AND current_setting('masar.reach', true) = 'all')) OR ((SELECT masar_steers()) AND instance_id IN (SELECT i.instance_id FROM instance i)));
ALTER POLICY of_who_steers ON asked USING ((SELECT masar_is_system() OR (masar_steers() AND current_setting('masar.reach', true) = 'all')) OR ((SELECT masar_steers()) AND instance_id IN (SELECT i.instance_id FROM instance i)));
