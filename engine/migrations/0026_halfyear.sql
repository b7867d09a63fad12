-- The report of a half-year is one: made once, of the whole land, the same for whoever reads it and for ever. What is kept of it is masked already.
-- Two reports that differ (a branch and the land, two readers, the same half-year asked for twice) would tell by their difference what each hides.
CREATE TABLE halfyear_report (year integer NOT NULL, half integer NOT NULL CHECK (half IN (1, 2)), content jsonb NOT NULL, made_at timestamptz NOT NULL, PRIMARY KEY (year, half));
CREATE OR REPLACE FUNCTION masar_steers() RETURNS boolean LANGUAGE sql STABLE AS
    $$ SELECT masar_is_system() OR masar_holds('coordinateur', 'auditeur', 'chef_antenne', 'chef_cps', 'chef_aneti') $$;
ALTER TABLE halfyear_report ENABLE ROW LEVEL SECURITY;
ALTER TABLE halfyear_report FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_owner ON halfyear_report TO CURRENT_USER USING (current_user <> 'masar_app') WITH CHECK (current_user <> 'masar_app');
CREATE POLICY of_who_steers ON halfyear_report FOR SELECT TO masar_app USING ((SELECT masar_steers()));
CREATE POLICY made_by_a_job ON halfyear_report FOR INSERT TO masar_app WITH CHECK (masar_is_system() AND masar_may_write());
GRANT SELECT, INSERT ON halfyear_report TO masar_app;
