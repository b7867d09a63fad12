-- The doctor reads, as the system, what it holds against the ledger and against what was noted of it.
CREATE POLICY proved_by_the_system ON rule_fired FOR SELECT TO masar_app USING (masar_is_system());
CREATE POLICY proved_by_the_system ON repair FOR SELECT TO masar_app USING (masar_is_system());
CREATE POLICY proved_by_the_system ON staff_leave FOR SELECT TO masar_app USING (masar_is_system());
CREATE POLICY proved_by_the_system ON audit_sample FOR SELECT TO masar_app USING (masar_is_system());
CREATE POLICY proved_by_the_system ON finding FOR SELECT TO masar_app USING (masar_is_system());
CREATE POLICY proved_by_the_system ON finding_word FOR SELECT TO masar_app USING (masar_is_system());
CREATE POLICY proved_by_the_system ON passage_told FOR SELECT TO masar_app USING (masar_is_system());
GRANT SELECT ON passage_told TO masar_app;
