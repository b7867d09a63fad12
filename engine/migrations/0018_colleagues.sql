-- People at work: what comes to somebody, who is away and who stands in, views of the desk kept under a name, the morning's e-mail.

-- ── Notices ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE INDEX notice_of_mine ON notice (user_id, created_at DESC, notice_id DESC) WHERE user_id IS NOT NULL;
CREATE INDEX notice_unread_of_mine ON notice (user_id) WHERE user_id IS NOT NULL AND read_at IS NULL;
-- Whoever reads a notice says that she did, and changes nothing of it.
REVOKE UPDATE ON notice FROM masar_app;
GRANT UPDATE (read_at) ON notice TO masar_app;
-- How many of somebody's notices are unread, up to a hundred: asked with her session, before the wall is raised.
CREATE FUNCTION masar_unread(of_user uuid) RETURNS integer LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT count(*)::integer FROM (SELECT 1 FROM notice n WHERE n.user_id = of_user AND n.read_at IS NULL LIMIT 100) x $$;

-- ── Leaves: who is away from when to when, and who stands in ───────────────────────────────────────────────────────────────────
-- Why somebody is away stands nowhere.
CREATE TABLE staff_leave (
    leave_id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES user_account, from_on date NOT NULL, until_on date NOT NULL,
    stand_in_id uuid REFERENCES user_account, said_by uuid NOT NULL, said_at timestamptz NOT NULL, cancelled_at timestamptz,
    CHECK (until_on >= from_on), CHECK (stand_in_id <> user_id)
);
CREATE INDEX staff_leave_of ON staff_leave (user_id, until_on) WHERE cancelled_at IS NULL;
CREATE INDEX staff_leave_now ON staff_leave (until_on) WHERE cancelled_at IS NULL;
-- Whether somebody answers for a colleague: the head of her agency in her branch, the coordinator everywhere; nobody for a partner (authority._leads).
CREATE FUNCTION masar_answers_for(of_user uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT EXISTS (SELECT FROM user_account u WHERE u.user_id = of_user AND u.agency <> 'PART' AND (masar_holds('coordinateur')
          OR (u.branch = masar_setting('branch') AND masar_holds(CASE u.agency WHEN 'CPS' THEN 'chef_cps' WHEN 'ANETI' THEN 'chef_aneti' ELSE 'chef_antenne' END)))) $$;
-- Whoever does somebody's work today: her stand-in or, where that one is away too, hers in turn; nobody where she is there, named nobody, or all are away.
CREATE FUNCTION masar_stand_in_of(of_user uuid) RETURNS uuid LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    today date := (masar_now() AT TIME ZONE 'Africa/Tunis')::date;
    seen uuid[] := '{}';
    one uuid := of_user;
    away record;
BEGIN
    LOOP
        SELECT l.stand_in_id, u.is_active INTO away FROM staff_leave l LEFT JOIN user_account u ON u.user_id = l.stand_in_id
         WHERE l.user_id = one AND l.cancelled_at IS NULL AND today BETWEEN l.from_on AND l.until_on ORDER BY l.said_at DESC, l.leave_id DESC LIMIT 1;
        IF NOT FOUND THEN
            RETURN nullif(one, of_user);
        END IF;
        seen := seen || one;
        IF away.is_active IS NOT TRUE OR away.stand_in_id = ANY (seen) THEN
            RETURN NULL;
        END IF;
        one := away.stand_in_id;
    END LOOP;
END $$;
-- For whom whoever asks stands in today.
CREATE FUNCTION masar_stood_in_for() RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT DISTINCT l.user_id FROM staff_leave l WHERE l.cancelled_at IS NULL AND l.until_on >= (masar_now() AT TIME ZONE 'Africa/Tunis')::date
          AND masar_stand_in_of(l.user_id) = masar_setting('user_id')::uuid $$;
-- Whether a colleague is away today: who is away is no secret, until when and who stands in is asked of the rows.
CREATE FUNCTION masar_is_away(of_user uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT EXISTS (SELECT FROM staff_leave l WHERE l.user_id = of_user AND l.cancelled_at IS NULL AND (masar_now() AT TIME ZONE 'Africa/Tunis')::date BETWEEN l.from_on AND l.until_on) $$;
ALTER TABLE staff_leave ENABLE ROW LEVEL SECURITY;
ALTER TABLE staff_leave FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_owner ON staff_leave TO CURRENT_USER USING (current_user <> 'masar_app') WITH CHECK (current_user <> 'masar_app');
CREATE POLICY known_to_whom_it_concerns ON staff_leave FOR SELECT TO masar_app
    USING (user_id = masar_setting('user_id')::uuid OR stand_in_id = masar_setting('user_id')::uuid OR masar_answers_for(user_id));
CREATE POLICY said_by_her_or_her_head ON staff_leave FOR INSERT TO masar_app WITH CHECK (
    said_by = masar_setting('user_id')::uuid AND (user_id = masar_setting('user_id')::uuid OR masar_answers_for(user_id)));
CREATE POLICY ended_by_her_or_her_head ON staff_leave FOR UPDATE TO masar_app USING (user_id = masar_setting('user_id')::uuid OR masar_answers_for(user_id));
GRANT SELECT, INSERT ON staff_leave TO masar_app;
GRANT UPDATE (cancelled_at) ON staff_leave TO masar_app;

-- ── Views of the desk ──────────────────────────────────────────────────────────────────────────────────────────────────────────
-- Filters under a name, never words that were looked for. One's own, or shared with one's branch.
CREATE TABLE desk_view (
    view_id uuid PRIMARY KEY, owner_id uuid NOT NULL REFERENCES user_account, branch text NOT NULL, name text NOT NULL CHECK (name <> '' AND length(name) <= 60),
    filters jsonb NOT NULL, is_shared boolean NOT NULL DEFAULT false, kept_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX desk_view_by_name ON desk_view (owner_id, name);
CREATE INDEX desk_view_of_branch ON desk_view (branch) WHERE is_shared;
ALTER TABLE desk_view ENABLE ROW LEVEL SECURITY;
ALTER TABLE desk_view FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_owner ON desk_view TO CURRENT_USER USING (current_user <> 'masar_app') WITH CHECK (current_user <> 'masar_app');
CREATE POLICY mine_or_my_branchs ON desk_view FOR SELECT TO masar_app
    USING (owner_id = masar_setting('user_id')::uuid OR (is_shared AND branch = masar_setting('branch')));
CREATE POLICY kept_by_me ON desk_view FOR INSERT TO masar_app WITH CHECK (owner_id = masar_setting('user_id')::uuid AND branch = masar_setting('branch'));
CREATE POLICY changed_by_me ON desk_view FOR UPDATE TO masar_app USING (owner_id = masar_setting('user_id')::uuid);
CREATE POLICY dropped_by_me ON desk_view FOR DELETE TO masar_app USING (owner_id = masar_setting('user_id')::uuid);
GRANT SELECT, INSERT, DELETE ON desk_view TO masar_app;
GRANT UPDATE (filters, is_shared, kept_at) ON desk_view TO masar_app;

-- ── The morning's e-mail ───────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE digest (
    user_id uuid PRIMARY KEY REFERENCES user_account, address text NOT NULL CHECK (address LIKE '%_@_%' AND length(address) <= 200), told_on date
);
ALTER TABLE digest ENABLE ROW LEVEL SECURITY;
ALTER TABLE digest FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_owner ON digest TO CURRENT_USER USING (current_user <> 'masar_app') WITH CHECK (current_user <> 'masar_app');
CREATE POLICY mine ON digest FOR ALL TO masar_app USING (user_id = masar_setting('user_id')::uuid OR masar_is_system());
GRANT SELECT, INSERT, DELETE ON digest TO masar_app;
GRANT UPDATE (address, told_on) ON digest TO masar_app;
-- What a demo would have sent: it sends nothing.
CREATE TABLE mail_kept (
    mail_id uuid PRIMARY KEY, address text NOT NULL, subject text NOT NULL, body text NOT NULL, kept_at timestamptz NOT NULL
);
CREATE INDEX mail_kept_by_time ON mail_kept (kept_at DESC);
ALTER TABLE mail_kept ENABLE ROW LEVEL SECURITY;
ALTER TABLE mail_kept FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_owner ON mail_kept TO CURRENT_USER USING (current_user <> 'masar_app') WITH CHECK (current_user <> 'masar_app');
CREATE POLICY looked_at_by_administrators ON mail_kept FOR SELECT TO masar_app USING ((SELECT masar_holds('administrateur')));
CREATE POLICY kept_in_a_demo ON mail_kept FOR INSERT TO masar_app WITH CHECK (masar_is_system() AND (SELECT is_demo FROM installation));
GRANT SELECT, INSERT ON mail_kept TO masar_app;

REVOKE EXECUTE ON FUNCTION masar_unread(uuid), masar_answers_for(uuid), masar_stand_in_of(uuid), masar_stood_in_for(), masar_is_away(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_unread(uuid), masar_answers_for(uuid), masar_stand_in_of(uuid), masar_stood_in_for(), masar_is_away(uuid) TO masar_app;
