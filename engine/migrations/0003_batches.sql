-- Work over many cases, done in the background: what was asked, how far it is, and a line for each case.
CREATE TABLE batch (
    batch_id uuid PRIMARY KEY, kind text NOT NULL CHECK (kind IN ('rehearsal', 'move')), draft_id uuid REFERENCES edition_draft,
    edition_id uuid REFERENCES edition, parameters jsonb NOT NULL DEFAULT '{}', asked_by uuid NOT NULL REFERENCES user_account, asked_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'cancelled', 'failed')), failure text NOT NULL DEFAULT '',
    total integer NOT NULL, done integer NOT NULL DEFAULT 0 CHECK (done <= total),
    started_at timestamptz, ended_at timestamptz  -- the system's time: how long it took
);
CREATE INDEX batch_to_do ON batch (batch_id) WHERE state IN ('waiting', 'running');
CREATE INDEX batch_by_draft ON batch (draft_id, kind, asked_at);
-- A slice is worked in one unit of work; a line without a result was not worked yet.
CREATE TABLE batch_line (
    batch_id uuid NOT NULL REFERENCES batch, place integer NOT NULL, slice integer NOT NULL, instance_id uuid NOT NULL REFERENCES instance ON DELETE CASCADE,
    result text, details jsonb NOT NULL DEFAULT '{}', PRIMARY KEY (batch_id, place)
);
CREATE INDEX batch_line_to_do ON batch_line (batch_id, slice) WHERE result IS NULL;
CREATE INDEX batch_line_by_instance ON batch_line (instance_id);
-- A trial is its acts: invented answers, played again each time it is looked at. One for each coordinator and draft.
CREATE TABLE trial (
    trial_id uuid PRIMARY KEY, draft_id uuid NOT NULL REFERENCES edition_draft, opened_by uuid NOT NULL REFERENCES user_account, opened_at timestamptz NOT NULL,
    branch text NOT NULL REFERENCES branch, acts jsonb NOT NULL DEFAULT '[]', UNIQUE (draft_id, opened_by)
);
CREATE TRIGGER tell_worker AFTER INSERT ON batch FOR EACH STATEMENT EXECUTE FUNCTION tell_worker();

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['batch', 'batch_line', 'trial'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY of_the_owner ON %I TO CURRENT_USER USING (current_user <> ''masar_app'') WITH CHECK (current_user <> ''masar_app'')', t);
    END LOOP;
END $$;
CREATE POLICY of_the_coordinators ON batch FOR SELECT TO masar_app USING (masar_is_system() OR (SELECT masar_holds('coordinateur', 'auditeur')));
CREATE POLICY asked_by_me ON batch FOR INSERT TO masar_app
    WITH CHECK (asked_by = masar_setting('user_id')::uuid AND state = 'waiting' AND done = 0 AND (SELECT masar_holds('coordinateur')));
CREATE POLICY carried_on ON batch FOR UPDATE TO masar_app USING (masar_may_write() AND (masar_is_system() OR (SELECT masar_holds('coordinateur'))));
-- What became of a case is read by who reaches the case, however she comes to the batch.
CREATE POLICY of_a_case_in_reach ON batch_line FOR SELECT TO masar_app
    USING (masar_is_system() OR ((SELECT masar_holds('coordinateur', 'auditeur')) AND (SELECT true FROM instance i WHERE i.instance_id = batch_line.instance_id LIMIT 1)));
CREATE POLICY asked_by_me ON batch_line FOR INSERT TO masar_app
    WITH CHECK (result IS NULL AND EXISTS (SELECT FROM batch b WHERE b.batch_id = batch_line.batch_id AND b.asked_by = masar_setting('user_id')::uuid AND b.state = 'waiting')
                AND (SELECT true FROM instance i WHERE i.instance_id = batch_line.instance_id LIMIT 1));
CREATE POLICY worked ON batch_line FOR UPDATE TO masar_app
    USING (masar_may_write() AND result IS NULL AND (masar_is_system() OR (SELECT masar_holds('coordinateur'))))
    WITH CHECK (result IS NOT NULL);
CREATE POLICY of_mine ON trial FOR ALL TO masar_app USING (opened_by = masar_setting('user_id')::uuid AND (SELECT masar_holds('coordinateur')));
GRANT SELECT, INSERT, DELETE ON trial TO masar_app;
GRANT UPDATE (acts) ON trial TO masar_app;
GRANT SELECT, INSERT ON batch, batch_line TO masar_app;
GRANT UPDATE (state, failure, done, started_at, ended_at) ON batch TO masar_app;
GRANT UPDATE (result, details) ON batch_line TO masar_app;
