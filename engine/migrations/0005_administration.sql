-- Administration: accounts and rights given by two, dated data that begin on a day, access reviewed, and the journal that all of it is written in.
-- Rights stay the caller's: an administrator's policies, and triggers that hold what she may not do either. The owner (installation, terminal) passes the triggers.

-- ── Accounts ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
ALTER TABLE user_account ADD COLUMN one_time_until timestamptz,  -- the password was given by somebody else: good until then, and only to choose another
    ADD COLUMN last_signin_at timestamptz,
    ADD COLUMN has_moved boolean NOT NULL DEFAULT false;  -- rights were taken or moved: what she holds and can do no more goes back to its queue
CREATE INDEX user_account_gone ON user_account (user_id) WHERE NOT is_active OR has_moved;

-- Roles that decide about money, publish, or give rights themselves: given by two (roles.GIVEN_BY_TWO says the same, a test compares).
CREATE FUNCTION masar_given_by_two() RETURNS text[] LANGUAGE sql IMMUTABLE AS
    $$ SELECT '{administrateur,chef_antenne,coordinateur,gestionnaire_aides,membre_commission,ordonnateur,president_commission,secretaire_commission}'::text[] $$;
-- Roles that one person does not hold together (roles.clash).
CREATE FUNCTION masar_clash(held text[]) RETURNS boolean LANGUAGE sql IMMUTABLE AS
    $$ SELECT (held && '{auditeur,administrateur}' AND cardinality(held) > 1) OR held @> '{gestionnaire_aides,ordonnateur}' OR held @> '{gestionnaire_aides,chef_antenne}' $$;

-- Asked for by one administrator, decided by another: rights (agency, branch and roles as they shall be), or a new password for somebody who holds such roles.
CREATE TABLE account_proposal (
    proposal_id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES user_account, kind text NOT NULL CHECK (kind IN ('rights', 'password')),
    agency text NOT NULL REFERENCES agency, branch text NOT NULL REFERENCES branch, roles text[] NOT NULL,
    reason text NOT NULL CHECK (reason <> ''), proposed_by uuid NOT NULL REFERENCES user_account, proposed_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'approved', 'refused', 'withdrawn')), decided_by uuid REFERENCES user_account, decided_at timestamptz,
    refusal text NOT NULL DEFAULT '', xid xid8
);
CREATE UNIQUE INDEX account_proposal_open ON account_proposal (user_id, kind) WHERE state = 'open';

-- ── Access reviewed ─────────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE access_review (
    review_id uuid PRIMARY KEY, agency text NOT NULL DEFAULT '', branch text NOT NULL DEFAULT '', idle_days integer NOT NULL CHECK (idle_days > 0),
    opened_by uuid NOT NULL REFERENCES user_account, opened_at timestamptz NOT NULL DEFAULT now(), closed_by uuid REFERENCES user_account, closed_at timestamptz,
    conclusion text NOT NULL DEFAULT ''
);
-- What each account could do when the review began, and what was decided of it.
CREATE TABLE access_review_line (
    review_id uuid NOT NULL REFERENCES access_review, user_id uuid NOT NULL REFERENCES user_account, agency text NOT NULL, branch text NOT NULL, roles text[] NOT NULL,
    last_signin_at timestamptz, decision text CHECK (decision IN ('kept', 'withdrawn')), decided_by uuid REFERENCES user_account, decided_at timestamptz,
    reason text NOT NULL DEFAULT '', PRIMARY KEY (review_id, user_id)
);

-- ── Places that change: from `valid_from` on a branch or an agency is as its latest change says ────────────────────────────────────
CREATE TABLE branch_change (
    code text NOT NULL REFERENCES branch, valid_from date NOT NULL, names jsonb NOT NULL, governorates text[] NOT NULL, agencies text[] NOT NULL,
    is_open boolean NOT NULL DEFAULT true, PRIMARY KEY (code, valid_from)
);
CREATE TABLE agency_change (code text NOT NULL REFERENCES agency, valid_from date NOT NULL, names jsonb NOT NULL, PRIMARY KEY (code, valid_from));
CREATE FUNCTION masar_branch_is_open(of_code text) RETURNS boolean LANGUAGE sql STABLE AS
    $$ SELECT coalesce((SELECT c.is_open FROM branch_change c WHERE c.code = of_code AND c.valid_from <= t.today ORDER BY c.valid_from DESC LIMIT 1),
                       (SELECT b.opened_on <= t.today FROM branch b WHERE b.code = of_code), false)
         FROM (SELECT (masar_now() AT TIME ZONE 'Africa/Tunis')::date AS today) t $$;

-- ── The journal: who changed what, when and why; a chain of its own, in the form of the ledger's lines ─────────────────────────────────
CREATE TABLE journal_line (
    seq bigint PRIMARY KEY, kind text NOT NULL, about text NOT NULL, line text NOT NULL, hash bytea NOT NULL, key_id uuid, ciphertext bytea,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX journal_line_about ON journal_line (about, seq);
CREATE FUNCTION refuse_gap_in_journal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE said jsonb;
BEGIN
    IF NEW.seq <> coalesce((SELECT max(seq) FROM journal_line), 0) + 1 THEN
        RAISE EXCEPTION 'journal line % does not follow the last one', NEW.seq USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.hash <> sha256(convert_to(NEW.line, 'UTF8')) OR NEW.xid <> pg_current_xact_id() THEN
        RAISE EXCEPTION 'journal line % does not have its own hash, or is of another transaction', NEW.seq USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    said := NEW.line::jsonb;
    IF (said ->> 'kind', said #>> '{body,about}', said ->> 'seq', said ->> 'prev') IS DISTINCT FROM (NEW.kind, NEW.about, NEW.seq::text,
            encode(coalesce((SELECT hash FROM journal_line ORDER BY seq DESC LIMIT 1), decode(repeat('00', 32), 'hex')), 'hex'))
       OR (current_user = 'masar_app' AND said #>> '{actor,id}' IS DISTINCT FROM coalesce(masar_setting('user_id'), '')) THEN
        RAISE EXCEPTION 'journal line % says of itself what it is not', NEW.seq USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER no_gap BEFORE INSERT ON journal_line FOR EACH ROW EXECUTE FUNCTION refuse_gap_in_journal();

-- The application changes none of these without a line of the same transaction.
CREATE FUNCTION masar_is_journalled() RETURNS boolean LANGUAGE sql STABLE AS
    $$ SELECT coalesce((SELECT xid FROM journal_line ORDER BY seq DESC LIMIT 1) = pg_current_xact_id(), false) $$;
CREATE FUNCTION refuse_change_without_journal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = 'masar_app' AND NOT masar_is_journalled() THEN
        RAISE EXCEPTION 'a change of % has no journal line in this transaction', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
-- What has begun stays as it was: something begins tomorrow at the earliest, may be bounded from today on, and goes only before it began.
CREATE FUNCTION refuse_other_past() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    today date := (masar_now() AT TIME ZONE 'Africa/Tunis')::date;
    was jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    will jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    begins text := TG_ARGV[0];
BEGIN
    IF current_user <> 'masar_app' THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF (was IS NULL OR (was ->> begins)::date > today) AND (will IS NULL OR (will ->> begins)::date > today) THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF will IS NOT NULL AND was IS NOT NULL AND will - 'valid_to' = was - 'valid_to' AND coalesce(will ->> 'valid_to', 'infinity')::date >= today
       AND coalesce(was ->> 'valid_to', 'infinity')::date >= today THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a change of % would rewrite what has begun', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
DO $$
DECLARE t record;
BEGIN
    FOR t IN SELECT * FROM (VALUES ('programme', 'valid_from'), ('parameter', 'valid_from'), ('holiday', 'day'), ('branch', 'opened_on'), ('branch_change', 'valid_from'),
                                   ('agency_change', 'valid_from')) AS v(name, begins) LOOP
        EXECUTE format('CREATE TRIGGER the_past_stays BEFORE INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_other_past(%L)', t.name, t.begins);
        EXECUTE format('CREATE TRIGGER has_its_journal_line BEFORE INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change_without_journal()', t.name);
    END LOOP;
    FOR t IN SELECT unnest(ARRAY['branch_change', 'agency_change']) AS name LOOP
        EXECUTE format('CREATE TRIGGER dated AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH STATEMENT EXECUTE FUNCTION count_dated_change()', t.name);
    END LOOP;
    FOR t IN SELECT unnest(ARRAY['account_proposal', 'access_review', 'access_review_line']) AS name LOOP
        EXECUTE format('CREATE TRIGGER has_its_journal_line BEFORE INSERT OR UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change_without_journal()', t.name);
    END LOOP;
END $$;
-- Money moves inside a fund as aids are granted and paid; what the fund holds in all is changed by an administrator, with a line.
CREATE FUNCTION refuse_fund_without_journal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE was bigint := CASE TG_OP WHEN 'UPDATE' THEN OLD.available_millimes + OLD.engaged_millimes + OLD.paid_millimes ELSE 0 END;
BEGIN
    IF current_user = 'masar_app' AND (TG_OP = 'INSERT' OR NEW.available_millimes + NEW.engaged_millimes + NEW.paid_millimes <> was)
       AND NOT (masar_holds('administrateur') AND masar_is_journalled()) THEN
        RAISE EXCEPTION 'what the fund of % holds in all has no journal line in this transaction', NEW.programme USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER has_its_journal_line BEFORE INSERT OR UPDATE ON fund FOR EACH ROW EXECUTE FUNCTION refuse_fund_without_journal();

-- ── What an administrator may not do either ─────────────────────────────────────────────────────────────────────────────────────
-- Nobody changes her own rights; rights of the roles above, and passwords of who holds them, by two.
CREATE FUNCTION masar_is_approved(of_user uuid, of_kind text, of_agency text, of_branch text, of_roles text[]) RETURNS boolean LANGUAGE sql STABLE AS
    $$ SELECT EXISTS (SELECT FROM account_proposal p WHERE p.user_id = of_user AND p.kind = of_kind AND p.state = 'approved' AND p.xid = pg_current_xact_id()
                         AND p.agency = of_agency AND p.branch = of_branch AND p.roles = of_roles) $$;
CREATE FUNCTION refuse_rights_by_one() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    me uuid := masar_setting('user_id')::uuid;
    has_gained boolean;
BEGIN
    IF current_user <> 'masar_app' THEN
        RETURN NEW;
    END IF;
    IF masar_clash(NEW.roles) THEN
        RAISE EXCEPTION 'account % would hold roles that are kept apart', NEW.username USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.roles && masar_given_by_two() OR NEW.one_time_until IS NULL OR NEW.is_demo OR NOT masar_is_journalled() THEN
            RAISE EXCEPTION 'account % is not made so by one person', NEW.username USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.user_id = me THEN
        IF to_jsonb(NEW) - '{language,password_hash,one_time_until}'::text[] <> to_jsonb(OLD) - '{language,password_hash,one_time_until}'::text[]
           OR (NEW.one_time_until IS DISTINCT FROM OLD.one_time_until AND (NEW.one_time_until IS NOT NULL OR NEW.password_hash = OLD.password_hash)) THEN
            RAISE EXCEPTION 'nobody changes her own rights' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END IF;
    IF NOT masar_is_journalled() THEN
        RAISE EXCEPTION 'a change of account % has no journal line in this transaction', NEW.username USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    has_gained := NEW.roles && masar_given_by_two() AND NEW.is_active
        AND ((NEW.agency, NEW.branch, NEW.is_active) IS DISTINCT FROM (OLD.agency, OLD.branch, OLD.is_active)
             OR EXISTS (SELECT unnest(NEW.roles) INTERSECT SELECT unnest(masar_given_by_two()) EXCEPT SELECT unnest(OLD.roles)));
    IF has_gained AND NOT masar_is_approved(NEW.user_id, 'rights', NEW.agency, NEW.branch, NEW.roles) THEN
        RAISE EXCEPTION 'the rights of % are given by two', NEW.username USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- Whoever had none of these roles may have a password that the first of the two chose: the second hands over another.
    IF has_gained AND NOT (OLD.is_active AND OLD.roles && masar_given_by_two()) AND (NEW.password_hash = OLD.password_hash OR NEW.one_time_until IS NULL) THEN
        RAISE EXCEPTION 'the rights of % come with a new password', NEW.username USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.password_hash <> OLD.password_hash AND (NEW.one_time_until IS NULL OR (OLD.roles && masar_given_by_two() AND NOT has_gained
           AND NOT masar_is_approved(NEW.user_id, 'password', OLD.agency, OLD.branch, OLD.roles))) THEN
        RAISE EXCEPTION 'a new password of % is given by two', NEW.username USING ERRCODE = 'insufficient_privilege';
    END IF;
    NEW.has_moved := OLD.has_moved OR NEW.agency <> OLD.agency OR NEW.branch <> OLD.branch OR NOT NEW.roles @> OLD.roles;
    RETURN NEW;
END $$;
CREATE TRIGGER by_two BEFORE INSERT OR UPDATE ON user_account FOR EACH ROW EXECUTE FUNCTION refuse_rights_by_one();
CREATE FUNCTION refuse_own_decision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE me uuid := masar_setting('user_id')::uuid;
BEGIN
    IF current_user <> 'masar_app' THEN
        RETURN NEW;
    END IF;
    IF OLD.state <> 'open' OR to_jsonb(NEW) - '{state,decided_by,decided_at,refusal,xid}'::text[] <> to_jsonb(OLD) - '{state,decided_by,decided_at,refusal,xid}'::text[] THEN
        RAISE EXCEPTION 'proposal % was decided, or is decided as it was made', OLD.proposal_id USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.decided_by IS DISTINCT FROM me OR NEW.xid IS DISTINCT FROM pg_current_xact_id()
       OR (NEW.state = 'approved' AND me IN (OLD.proposed_by, OLD.user_id)) OR (NEW.state = 'withdrawn' AND me <> OLD.proposed_by) THEN
        RAISE EXCEPTION 'proposal % is decided by another than who made it or whom it is about', OLD.proposal_id USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER by_two BEFORE UPDATE ON account_proposal FOR EACH ROW EXECUTE FUNCTION refuse_own_decision();
-- A review that is closed stays so; nobody reviews herself; none is closed while somebody was not looked at.
CREATE FUNCTION refuse_half_review() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE me uuid := masar_setting('user_id')::uuid;
BEGIN
    IF current_user <> 'masar_app' THEN
        RETURN NEW;
    END IF;
    IF TG_TABLE_NAME = 'access_review' THEN
        IF OLD.closed_at IS NOT NULL OR NEW.closed_by IS DISTINCT FROM me OR to_jsonb(NEW) - '{closed_by,closed_at,conclusion}'::text[] <> to_jsonb(OLD) - '{closed_by,closed_at,conclusion}'::text[]
           OR EXISTS (SELECT FROM access_review_line l WHERE l.review_id = OLD.review_id AND l.decision IS NULL) THEN
            RAISE EXCEPTION 'review % is not to be closed so', OLD.review_id USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.decision IS NOT NULL OR NEW.decision IS NULL OR NEW.decided_by IS DISTINCT FROM me OR OLD.user_id = me
       OR to_jsonb(NEW) - '{decision,decided_by,decided_at,reason}'::text[] <> to_jsonb(OLD) - '{decision,decided_by,decided_at,reason}'::text[]
       OR EXISTS (SELECT FROM access_review r WHERE r.review_id = OLD.review_id AND r.closed_at IS NOT NULL) THEN
        RAISE EXCEPTION 'a line of review % is not to be decided so', OLD.review_id USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER whole BEFORE UPDATE ON access_review FOR EACH ROW EXECUTE FUNCTION refuse_half_review();
CREATE TRIGGER whole BEFORE UPDATE ON access_review_line FOR EACH ROW EXECUTE FUNCTION refuse_half_review();

-- ── Row-level security, forced ───────────────────────────────────────────────────────────────────────────────────────────────────
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['agency', 'branch', 'programme', 'fund', 'parameter', 'holiday', 'branch_change', 'agency_change', 'account_proposal', 'access_review',
                             'access_review_line', 'journal_line'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY of_the_owner ON %I TO CURRENT_USER USING (current_user <> ''masar_app'') WITH CHECK (current_user <> ''masar_app'')', t);
    END LOOP;
    -- Rules of the Dispositif are nobody's secret: whoever acts, a visitor too, reads them; before anybody said who acts, nothing is there.
    FOREACH t IN ARRAY ARRAY['agency', 'branch', 'programme', 'fund', 'parameter', 'holiday', 'branch_change', 'agency_change'] LOOP
        EXECUTE format('CREATE POLICY whoever_acts ON %I FOR SELECT TO masar_app USING (masar_setting(''reach'') IS NOT NULL)', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['branch', 'programme', 'fund', 'parameter', 'holiday', 'branch_change', 'agency_change', 'account_proposal', 'access_review', 'access_review_line'] LOOP
        EXECUTE format('CREATE POLICY added_by_administrators ON %I FOR INSERT TO masar_app WITH CHECK ((SELECT masar_holds(''administrateur'')))', t);
        EXECUTE format('CREATE POLICY changed_by_administrators ON %I FOR UPDATE TO masar_app USING ((SELECT masar_holds(''administrateur'')))', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['programme', 'parameter', 'holiday', 'branch_change', 'agency_change'] LOOP
        EXECUTE format('CREATE POLICY taken_back_by_administrators ON %I FOR DELETE TO masar_app USING ((SELECT masar_holds(''administrateur'')))', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['account_proposal', 'access_review', 'access_review_line', 'journal_line'] LOOP
        EXECUTE format('CREATE POLICY of_administration ON %I FOR SELECT TO masar_app USING ((SELECT masar_holds(''administrateur'', ''auditeur'')))', t);
    END LOOP;
END $$;
-- Money inside a fund moves with the cases, whoever takes the step.
CREATE POLICY moved_by_a_step ON fund FOR UPDATE TO masar_app USING (masar_may_write());
CREATE POLICY proved_by_the_system ON journal_line FOR SELECT TO masar_app USING (masar_is_system());
CREATE POLICY written_by_administrators ON journal_line FOR INSERT TO masar_app WITH CHECK ((SELECT masar_holds('administrateur')));
CREATE POLICY made_by_administrators ON user_account FOR INSERT TO masar_app WITH CHECK ((SELECT masar_holds('administrateur')));
CREATE POLICY changed_by_administrators ON user_account FOR UPDATE TO masar_app USING ((SELECT masar_holds('administrateur')));

-- ── Named openings ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
-- Whoever was given a password holds no role until she chose another.
CREATE OR REPLACE FUNCTION masar_holds(VARIADIC wanted text[]) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT EXISTS (SELECT FROM user_account u WHERE u.user_id = masar_setting('user_id')::uuid AND u.is_active AND u.one_time_until IS NULL AND u.roles && wanted) $$;
CREATE OR REPLACE FUNCTION masar_credentials(of_username text) RETURNS TABLE (user_id uuid, password_hash text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT u.user_id, u.password_hash FROM user_account u WHERE u.username = of_username AND u.is_active AND (u.one_time_until IS NULL OR u.one_time_until > now()) $$;
DROP FUNCTION masar_session(bytea);
CREATE FUNCTION masar_session(of_digest bytea) RETURNS TABLE (user_id uuid, username text, name text, name_ar text, agency text, branch text,
        roles text[], language text, kind text, csrf text, expires_at timestamptz, must_change boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT u.user_id, u.username, u.name, u.name_ar, u.agency, u.branch, CASE WHEN u.one_time_until IS NULL THEN u.roles ELSE '{}' END, u.language, s.kind, s.csrf,
           s.expires_at, u.one_time_until IS NOT NULL
      FROM user_session s JOIN user_account u ON u.user_id = s.user_id
     WHERE s.token_digest = of_digest AND s.revoked_at IS NULL AND s.expires_at > now() AND u.is_active;
END $$;
CREATE OR REPLACE FUNCTION masar_open_session(of_digest bytea, of_user uuid, of_kind text, of_csrf text, of_hours integer, of_agent text) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ INSERT INTO user_session (token_digest, user_id, kind, csrf, expires_at, agent)
       VALUES (of_digest, of_user, of_kind, of_csrf, now() + make_interval(hours => of_hours), of_agent);
       UPDATE user_account SET last_signin_at = now() WHERE user_id = of_user $$;
-- When each account was last used: for those who review access.
CREATE FUNCTION masar_account_use() RETURNS TABLE (user_id uuid, last_signin_at timestamptz, one_time_until timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT u.user_id, u.last_signin_at, u.one_time_until FROM user_account u WHERE masar_holds('administrateur', 'auditeur') $$;
CREATE FUNCTION masar_end_sessions(of_user uuid) RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ UPDATE user_session SET revoked_at = now() WHERE user_id = of_user AND revoked_at IS NULL AND masar_holds('administrateur') $$;
-- A fund was given money: the first of those who wait for it is called.
CREATE FUNCTION masar_call_first(of_programme text, of_message uuid) RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ INSERT INTO message (message_id, name, correlation, payload, created_at)
       SELECT of_message, 'fonds.revenus', w.aid_id::text, '{}', masar_now() FROM fund_waiting w JOIN instance i ON i.instance_id = w.instance_id AND i.status = 'open'
        WHERE w.programme = of_programme AND masar_holds('administrateur') ORDER BY w.class DESC, w.asked_on, w.arrival LIMIT 1 $$;

GRANT INSERT (user_id, username, name, name_ar, agency, branch, roles, language, password_hash, one_time_until),
      UPDATE (name, name_ar, agency, branch, roles, is_active, one_time_until), SELECT (has_moved) ON user_account TO masar_app;
GRANT SELECT ON branch_change, agency_change TO masar_app;
GRANT INSERT ON branch, programme, fund, parameter, holiday, branch_change, agency_change TO masar_app;
GRANT UPDATE (valid_to) ON programme, parameter TO masar_app;
GRANT UPDATE (names, opened_on, governorates, agencies) ON branch TO masar_app;
GRANT DELETE ON programme, parameter, holiday, branch_change, agency_change TO masar_app;
GRANT SELECT, INSERT ON account_proposal, access_review, access_review_line, journal_line TO masar_app;
GRANT UPDATE (state, decided_by, decided_at, refusal, xid) ON account_proposal TO masar_app;
GRANT UPDATE (closed_by, closed_at, conclusion) ON access_review TO masar_app;
GRANT UPDATE (decision, decided_by, decided_at, reason) ON access_review_line TO masar_app;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO masar_app;
