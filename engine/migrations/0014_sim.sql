-- Why a warning of an edition was accepted, by whom and when: kept with the edition, so that nobody is asked again for what stayed as it was.
CREATE TABLE warning_accepted (
    edition_id uuid NOT NULL REFERENCES edition, digest text NOT NULL, reason text NOT NULL CHECK (reason <> ''),
    accepted_by uuid REFERENCES user_account, accepted_at timestamptz NOT NULL, PRIMARY KEY (edition_id, digest)  -- digest: of its code, its place and what it says
);
ALTER TABLE warning_accepted ENABLE ROW LEVEL SECURITY;
ALTER TABLE warning_accepted FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_coordinators ON warning_accepted FOR SELECT TO masar_app USING (masar_is_system() OR (SELECT masar_holds('coordinateur', 'auditeur')));
-- Written as an edition comes into force, by whoever approves it; never changed afterwards.
CREATE POLICY with_the_edition ON warning_accepted FOR INSERT TO masar_app WITH CHECK (
    (SELECT masar_holds('coordinateur')) AND EXISTS (SELECT FROM edition_draft d WHERE d.edition_id = warning_accepted.edition_id AND d.state = 'published'
        AND d.decided_by = masar_setting('user_id')::uuid));
GRANT SELECT, INSERT ON warning_accepted TO masar_app;
CREATE POLICY of_the_owner ON warning_accepted TO CURRENT_USER USING (current_user <> 'masar_app') WITH CHECK (current_user <> 'masar_app');
