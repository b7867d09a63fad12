-- The house's first floor: who acts, what is known, what is being done, what happened.
-- The application works as masar_app, which owns nothing here and cannot pass by the policies below.

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'masar_app') THEN
        CREATE ROLE masar_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of the same server was faster
END $$;
-- Since version 16 whoever makes a role may not yet act as it.
DO $$ BEGIN
    IF current_setting('server_version_num')::int < 160000 THEN
        IF NOT pg_has_role(current_user, 'masar_app', 'MEMBER') THEN
            EXECUTE format('GRANT masar_app TO %I', current_user);
        END IF;
    ELSIF NOT pg_has_role(current_user, 'masar_app', 'SET') THEN
        EXECUTE format('GRANT masar_app TO %I WITH SET TRUE', current_user);
    END IF;
END $$;
GRANT USAGE ON SCHEMA public TO masar_app;

-- ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE installation (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    is_demo boolean NOT NULL,
    is_ready boolean NOT NULL DEFAULT false,  -- the first start came to its end; one that was cut short begins again
    dated_version bigint NOT NULL DEFAULT 1,  -- counts the changes of programmes, parameters, funds, branches and holidays
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE demo_clock (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    shift interval NOT NULL DEFAULT '0'
);
INSERT INTO demo_clock DEFAULT VALUES;
CREATE FUNCTION masar_now() RETURNS timestamptz LANGUAGE plpgsql STABLE AS
    $$ BEGIN RETURN now() + make_interval(secs => extract(epoch FROM (SELECT shift FROM demo_clock))::double precision); END $$;
CREATE FUNCTION refuse_clock_outside_demo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM installation WHERE is_demo) THEN
        RAISE EXCEPTION 'the clock moves in a demo database only' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER demo_only BEFORE INSERT OR UPDATE ON demo_clock FOR EACH ROW EXECUTE FUNCTION refuse_clock_outside_demo();

-- ── The wall: what unit_of_work says of the actor, read by every policy ─────────────────────────────────────────────────────
-- masar.user_id, masar.agency, masar.branch, masar.reach (none | own | branch | all), masar.sits (on | off: a partner's seat at the sittings of
-- her branch), masar.may_write (on | off), masar.classes (C,O,S,…), masar.is_system (on | off). Unset settings give NULL: nothing is seen.
CREATE FUNCTION masar_setting(name text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT nullif(current_setting('masar.' || name, true), '') $$;

-- ── Actors ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE agency (code text PRIMARY KEY, names jsonb NOT NULL);
CREATE TABLE branch (
    code text PRIMARY KEY, names jsonb NOT NULL, opened_on date NOT NULL,
    governorates text[] NOT NULL, agencies text[] NOT NULL
);
CREATE TABLE user_account (
    user_id uuid PRIMARY KEY, username text NOT NULL UNIQUE, name text NOT NULL, name_ar text NOT NULL DEFAULT '',
    agency text NOT NULL REFERENCES agency, branch text NOT NULL REFERENCES branch, roles text[] NOT NULL,
    language text NOT NULL DEFAULT 'fr' CHECK (language IN ('fr', 'ar', 'en')),
    password_hash text NOT NULL, is_active boolean NOT NULL DEFAULT true, is_demo boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE user_session (
    token_digest bytea PRIMARY KEY, user_id uuid NOT NULL REFERENCES user_account, kind text NOT NULL CHECK (kind IN ('web', 'api')),
    csrf text NOT NULL, created_at timestamptz NOT NULL DEFAULT now(), expires_at timestamptz NOT NULL,
    revoked_at timestamptz, agent text NOT NULL DEFAULT ''
);
CREATE INDEX user_session_by_user ON user_session (user_id) WHERE revoked_at IS NULL;
CREATE TABLE signin_attempt (
    subject text NOT NULL, failed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX signin_attempt_by_subject ON signin_attempt (subject, failed_at);

-- ── Editions: everything a case follows ─────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE edition (
    edition_id uuid PRIMARY KEY, number integer NOT NULL UNIQUE, digest text NOT NULL UNIQUE, files jsonb NOT NULL,
    published_at timestamptz NOT NULL, published_by uuid, reason text NOT NULL DEFAULT ''
);
CREATE TABLE edition_file (sha256 text PRIMARY KEY, content bytea NOT NULL);
-- What coordinators prepare: a draft forks an edition, every save is a row. A save made from an older version than the last one stands aside until somebody
-- takes or drops it. `version` of a draft counts its turns (submitted, sent back); of a save, the saves of the file, an aside keeping the one it was made from.
CREATE TABLE edition_draft (
    draft_id uuid PRIMARY KEY, base_id uuid NOT NULL REFERENCES edition, seen_start bigint NOT NULL, title text NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'submitted', 'published', 'dropped')), version integer NOT NULL DEFAULT 1,
    opened_by uuid, opened_at timestamptz NOT NULL, submitted_by uuid, submitted_at timestamptz, starts_at timestamptz,
    reason text NOT NULL DEFAULT '', accepted text NOT NULL DEFAULT '',  -- why it is asked, and why its warnings are accepted
    decided_by uuid, decided_at timestamptz, refusal text NOT NULL DEFAULT '', edition_id uuid REFERENCES edition,
    delivered jsonb  -- path -> SHA-256 of every file that came with a new version of Masar
);
CREATE TABLE draft_save (
    save_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, draft_id uuid NOT NULL REFERENCES edition_draft, path text NOT NULL, version integer NOT NULL,
    content bytea,  -- nothing: the file is taken out
    is_aside boolean NOT NULL DEFAULT false, saved_by uuid, saved_at timestamptz NOT NULL,
    settled text CHECK (settled IN ('taken', 'dropped', 'replaced')), settled_by uuid, settled_at timestamptz
);
CREATE UNIQUE INDEX draft_save_version ON draft_save (draft_id, path, version) WHERE NOT is_aside;
CREATE INDEX draft_save_aside ON draft_save (draft_id) WHERE is_aside AND settled IS NULL;
-- The edition in force at an instant is that of the latest start before it; the former is brought back by one start more.
CREATE TABLE edition_start (
    start_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, edition_id uuid NOT NULL REFERENCES edition, starts_at timestamptz NOT NULL,
    asked_by uuid, approved_by uuid, reason text NOT NULL DEFAULT '', draft_id uuid UNIQUE REFERENCES edition_draft
);
CREATE INDEX edition_start_in_order ON edition_start (starts_at, start_id);
CREATE TABLE programme (
    code text NOT NULL, version integer NOT NULL, valid_from date NOT NULL, valid_to date, content jsonb NOT NULL,
    source text NOT NULL DEFAULT '', is_inferred boolean NOT NULL, PRIMARY KEY (code, version)
);
CREATE TABLE fund (
    programme text PRIMARY KEY, available_millimes bigint NOT NULL CHECK (available_millimes >= 0), engaged_millimes bigint NOT NULL DEFAULT 0,
    paid_millimes bigint NOT NULL DEFAULT 0
);
-- Aids granted that their fund could not carry: served in order of class, then of the day they were asked (§4.7).
CREATE TABLE fund_waiting (
    aid_id uuid PRIMARY KEY, programme text NOT NULL REFERENCES fund, instance_id uuid NOT NULL, class smallint NOT NULL, asked_on date NOT NULL,
    arrival bigint GENERATED ALWAYS AS IDENTITY
);
CREATE TABLE parameter (
    code text NOT NULL, valid_from date NOT NULL, valid_to date, value jsonb NOT NULL, labels jsonb NOT NULL DEFAULT '{}',
    source text NOT NULL DEFAULT '', is_inferred boolean NOT NULL, PRIMARY KEY (code, valid_from)
);
-- What diagrams and tables were told of the above, once for each state and day of it, under its SHA-256: ledger lines name the digest.
CREATE TABLE dated_scope (digest text PRIMARY KEY, content jsonb NOT NULL);
CREATE TABLE holiday (day date PRIMARY KEY, names jsonb NOT NULL DEFAULT '{}', is_estimate boolean NOT NULL DEFAULT false);

CREATE FUNCTION count_dated_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ BEGIN UPDATE installation SET dated_version = dated_version + 1; RETURN NULL; END $$;
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['programme', 'fund', 'parameter', 'agency', 'branch', 'holiday'] LOOP
        EXECUTE format('CREATE TRIGGER dated AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH STATEMENT EXECUTE FUNCTION count_dated_change()', t);
    END LOOP;
END $$;

-- ── Persons and instances ─────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE person (person_id uuid PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now(), merged_into uuid REFERENCES person);
CREATE TABLE person_token (
    person_id uuid NOT NULL REFERENCES person, kind text NOT NULL, token text NOT NULL, PRIMARY KEY (person_id, kind, token)
);
CREATE INDEX person_token_search ON person_token (kind, token text_pattern_ops);
CREATE TABLE case_number (  -- series: cases, signals and sittings are counted each apart
    series text NOT NULL, branch text NOT NULL REFERENCES branch, year integer NOT NULL, last integer NOT NULL, PRIMARY KEY (series, branch, year)
);

CREATE TABLE instance (
    instance_id uuid PRIMARY KEY, root_id uuid NOT NULL, parent_id uuid REFERENCES instance, process text NOT NULL,
    edition_id uuid NOT NULL REFERENCES edition, person_id uuid REFERENCES person, number text UNIQUE, receipt_code text UNIQUE,
    branch text NOT NULL REFERENCES branch, subject text NOT NULL DEFAULT '', scope jsonb NOT NULL DEFAULT '{}',
    stage text NOT NULL DEFAULT 'accueil', status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'ended')),
    outcome text NOT NULL DEFAULT '', priority smallint NOT NULL DEFAULT 0, referent_id uuid, social_worker_id uuid,
    -- What the person agreed to (consents.py): C1, C2 and C3. Read on the case's own row, never on a child's; `assigned`: the operators it is entrusted to.
    is_shared boolean NOT NULL DEFAULT false, is_shared_funder boolean NOT NULL DEFAULT false, is_shared_operator boolean NOT NULL DEFAULT false,
    assigned uuid[] NOT NULL DEFAULT '{}',
    state bytea NOT NULL, seq bigint NOT NULL DEFAULT 0, head bytea NOT NULL, opened_at timestamptz NOT NULL, ended_at timestamptz
);
CREATE INDEX instance_by_root ON instance (root_id);
CREATE INDEX instance_by_person ON instance (person_id);
CREATE INDEX instance_by_subject ON instance (subject) WHERE subject <> '';
CREATE INDEX instance_open_by_branch ON instance (branch, process, opened_at) WHERE status = 'open';
CREATE INDEX instance_open_by_process ON instance (process, subject) WHERE status = 'open';

CREATE TABLE open_task (
    task_id uuid PRIMARY KEY, instance_id uuid NOT NULL REFERENCES instance, root_id uuid NOT NULL, position text NOT NULL,
    process text NOT NULL, node text NOT NULL, names jsonb NOT NULL, kind text NOT NULL DEFAULT 'user', form text NOT NULL DEFAULT '',
    subject text NOT NULL DEFAULT '', subjects jsonb NOT NULL DEFAULT '[]', agency text NOT NULL, branch text NOT NULL, role text NOT NULL,
    holder_id uuid, opened_at timestamptz NOT NULL, claimed_at timestamptz, due_at timestamptz, version integer NOT NULL DEFAULT 1,
    apart jsonb NOT NULL DEFAULT '{}',  -- the tasks whose doer may not do this one: node -> names
    case_number text NOT NULL DEFAULT '', case_branch text NOT NULL, stage text NOT NULL DEFAULT '', priority smallint NOT NULL DEFAULT 0,
    remind_at timestamptz, reminders smallint NOT NULL DEFAULT 0,
    sort_due timestamptz GENERATED ALWAYS AS (coalesce(due_at, 'infinity')) STORED
);
CREATE INDEX open_task_queue ON open_task (branch, agency, role, sort_due, task_id) WHERE holder_id IS NULL;
CREATE INDEX open_task_held ON open_task (holder_id, sort_due, task_id) WHERE holder_id IS NOT NULL;
CREATE INDEX open_task_by_branch ON open_task (case_branch, agency, sort_due, task_id);
CREATE INDEX open_task_by_due ON open_task (sort_due, task_id);
CREATE INDEX open_task_by_opening ON open_task (opened_at);
CREATE INDEX open_task_by_root ON open_task (root_id);
CREATE INDEX open_task_by_instance ON open_task (instance_id);
CREATE INDEX open_task_to_remind ON open_task (remind_at) WHERE remind_at IS NOT NULL;

CREATE TABLE task_done (
    task_id uuid PRIMARY KEY, instance_id uuid NOT NULL REFERENCES instance, root_id uuid NOT NULL, node text NOT NULL, outcome text NOT NULL,
    done_by uuid, done_at timestamptz NOT NULL, key text NOT NULL DEFAULT '', request_digest bytea
);
CREATE INDEX task_done_by_instance ON task_done (instance_id) WHERE done_by IS NOT NULL;
CREATE TABLE draft (
    task_id uuid NOT NULL, user_id uuid NOT NULL, content jsonb NOT NULL, saved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (task_id, user_id)
);

CREATE TABLE wait (
    instance_id uuid NOT NULL REFERENCES instance, position text NOT NULL, node text NOT NULL, kind text NOT NULL, name text NOT NULL DEFAULT '',
    correlation text NOT NULL DEFAULT '', labels jsonb NOT NULL DEFAULT '{}', opened_at timestamptz NOT NULL, due_at timestamptz,
    branch text NOT NULL, awaits text NOT NULL DEFAULT '',  -- person | message | date; '' where the diagram merely listens
    PRIMARY KEY (instance_id, position)
);
CREATE INDEX wait_for_the_person ON wait (branch, opened_at, instance_id, position) WHERE awaits = 'person';
CREATE INDEX wait_by_message ON wait (name, correlation) WHERE kind = 'message';
CREATE INDEX wait_due ON wait (due_at) WHERE kind = 'timer';
CREATE TABLE message (
    message_id uuid PRIMARY KEY, name text NOT NULL, correlation text NOT NULL, payload jsonb NOT NULL DEFAULT '{}', sender_id uuid,
    created_at timestamptz NOT NULL, consumed_at timestamptz, consumed_by uuid,
    is_parked boolean NOT NULL DEFAULT false  -- nobody waited for it when it was carried: not looked at again until somebody does
);
CREATE INDEX message_pending ON message (created_at, message_id) WHERE consumed_at IS NULL AND NOT is_parked;
CREATE INDEX message_by_name ON message (name, correlation) WHERE consumed_at IS NULL;
CREATE TABLE incident (
    incident_id uuid PRIMARY KEY, instance_id uuid NOT NULL REFERENCES instance, root_id uuid NOT NULL, branch text NOT NULL, position text NOT NULL,
    node text NOT NULL, code text NOT NULL, details jsonb NOT NULL DEFAULT '{}', opened_at timestamptz NOT NULL, resolved_at timestamptz, resolved_by uuid
);
CREATE INDEX incident_open ON incident (opened_at) WHERE resolved_at IS NULL;
CREATE TABLE notice (
    notice_id uuid PRIMARY KEY, user_id uuid, branch text NOT NULL, agency text NOT NULL DEFAULT '', role text NOT NULL DEFAULT '', code text NOT NULL,
    details jsonb NOT NULL DEFAULT '{}', instance_id uuid, task_id uuid, created_at timestamptz NOT NULL, read_at timestamptz
);
CREATE INDEX notice_unread ON notice (branch, role, created_at) WHERE read_at IS NULL;

-- ── What is known ───────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE fact (
    fact_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person_id uuid, root_id uuid NOT NULL, instance_id uuid NOT NULL REFERENCES instance,
    subject text NOT NULL, field text NOT NULL, value jsonb, status text NOT NULL DEFAULT 'known' CHECK (status IN ('known', 'inconnu', 'refuse')),
    class text NOT NULL, source jsonb NOT NULL DEFAULT '{}', author_id uuid, author_name text NOT NULL DEFAULT '', author_agency text NOT NULL DEFAULT '',
    recorded_at timestamptz NOT NULL, valid_until timestamptz, seq bigint NOT NULL, reason text NOT NULL DEFAULT '', is_current boolean NOT NULL DEFAULT true
);
CREATE UNIQUE INDEX fact_current ON fact (subject, field) WHERE is_current;
CREATE INDEX fact_of_person ON fact (person_id, field) WHERE is_current;
CREATE INDEX fact_of_root ON fact (root_id, field) WHERE is_current;
CREATE TABLE document (
    document_id uuid PRIMARY KEY, root_id uuid, class text NOT NULL DEFAULT 'C', name text NOT NULL, media_type text NOT NULL, size integer NOT NULL,
    sha256 text NOT NULL, uploaded_by uuid NOT NULL, uploaded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX document_waiting ON document (uploaded_by) WHERE root_id IS NULL;
CREATE TABLE letter (
    letter_id uuid PRIMARY KEY, instance_id uuid NOT NULL REFERENCES instance, root_id uuid NOT NULL, template text NOT NULL, content jsonb NOT NULL,
    class text NOT NULL, code text NOT NULL, produced_at timestamptz NOT NULL,
    about uuid[] NOT NULL DEFAULT '{}'  -- the aids that a sitting's paper tells of
);
CREATE INDEX letter_by_root ON letter (root_id);
CREATE INDEX letter_by_code ON letter (code);

-- ── What happened ───────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE ledger_line (
    instance_id uuid NOT NULL REFERENCES instance DEFERRABLE INITIALLY DEFERRED, seq bigint NOT NULL, kind text NOT NULL, line text NOT NULL,
    hash bytea NOT NULL, xid xid8 NOT NULL DEFAULT pg_current_xact_id(), PRIMARY KEY (instance_id, seq)
);
CREATE TABLE ledger_sealed (
    instance_id uuid NOT NULL, seq bigint NOT NULL, person_id uuid, ciphertext bytea NOT NULL, PRIMARY KEY (instance_id, seq)
);

-- Immediate: the line is written before what it tells of, so the ledger of the instance grew in this very transaction: at the line its row points at, or at the one after.
-- The guards below are the owner's, and ask by whole keys: no policy stands between, and a plan made while the tables were empty stays right when they are full.
CREATE FUNCTION is_line_written(of_instance uuid) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE last bigint := (SELECT seq FROM public.instance WHERE instance_id = of_instance);
BEGIN
    RETURN (SELECT xid FROM public.ledger_line WHERE instance_id = of_instance AND seq = last + 1) IS NOT DISTINCT FROM pg_current_xact_id()
        OR (SELECT xid FROM public.ledger_line WHERE instance_id = of_instance AND seq = last) IS NOT DISTINCT FROM pg_current_xact_id();
END $$;
CREATE FUNCTION refuse_change_without_line() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE changed record := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    IF NOT public.is_line_written(changed.instance_id) THEN
        RAISE EXCEPTION 'a change of % on instance % has no ledger line in this transaction', TG_TABLE_NAME, changed.instance_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['open_task', 'task_done', 'wait', 'incident', 'letter'] LOOP
        EXECUTE format('CREATE TRIGGER has_its_line AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change_without_line()', t);
    END LOOP;
END $$;
CREATE TRIGGER has_its_line AFTER DELETE ON instance FOR EACH ROW EXECUTE FUNCTION refuse_change_without_line();
-- Facts come many at once: they are looked at together. One is only ever updated by the newer one that takes its place, whose own insert is watched.
CREATE FUNCTION refuse_facts_without_line() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE orphan uuid;
BEGIN
    SELECT c.instance_id INTO orphan FROM (SELECT DISTINCT instance_id FROM changed) c WHERE NOT public.is_line_written(c.instance_id) LIMIT 1;
    IF orphan IS NOT NULL THEN
        RAISE EXCEPTION 'a change of % on instance % has no ledger line in this transaction', TG_TABLE_NAME, orphan USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER have_their_line AFTER INSERT ON fact REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION refuse_facts_without_line();
CREATE TRIGGER have_had_their_line AFTER DELETE ON fact REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION refuse_facts_without_line();
-- A line follows the one before it, and an instance's head is its last line's hash.
CREATE FUNCTION refuse_gap_in_ledger() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF NEW.seq <> 1 AND NOT EXISTS (SELECT FROM public.ledger_line WHERE instance_id = NEW.instance_id AND seq = NEW.seq - 1) THEN
        RAISE EXCEPTION 'ledger line % of % does not follow the last one', NEW.seq, NEW.instance_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.hash <> sha256(convert_to(NEW.line, 'UTF8')) THEN
        RAISE EXCEPTION 'ledger line % of % does not have its own hash', NEW.seq, NEW.instance_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER no_gap BEFORE INSERT ON ledger_line FOR EACH ROW EXECUTE FUNCTION refuse_gap_in_ledger();
CREATE FUNCTION refuse_wrong_head() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.ledger_line WHERE instance_id = NEW.instance_id AND seq = NEW.seq AND hash = NEW.head AND xid = pg_current_xact_id()) THEN
        RAISE EXCEPTION 'instance % does not point at a ledger line of this transaction', NEW.instance_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (SELECT FROM public.ledger_line WHERE instance_id = NEW.instance_id AND seq = NEW.seq + 1) THEN
        RAISE EXCEPTION 'instance % does not point at its last ledger line', NEW.instance_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
-- What waits of an instance goes with it to another branch: lists read these columns instead of looking up the case of each.
CREATE FUNCTION masar_move_what_waits() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE wait SET branch = NEW.branch WHERE instance_id = NEW.instance_id;
    UPDATE open_task SET case_branch = NEW.branch WHERE instance_id = NEW.instance_id;
    RETURN NULL;
END $$;
CREATE TRIGGER take_along_what_waits AFTER UPDATE OF branch ON instance FOR EACH ROW WHEN (OLD.branch <> NEW.branch) EXECUTE FUNCTION masar_move_what_waits();
CREATE TRIGGER head_is_last_line AFTER INSERT OR UPDATE ON instance FOR EACH ROW EXECUTE FUNCTION refuse_wrong_head();

-- Whoever watches a desk (server-sent events) and the worker are told at the commit.
CREATE FUNCTION tell_desks() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_notify('masar_desk', branch) FROM (SELECT DISTINCT branch FROM changed) b; RETURN NULL; END $$;
CREATE TRIGGER tell_on_insert AFTER INSERT ON open_task REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_desks();
CREATE TRIGGER tell_on_update AFTER UPDATE ON open_task REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_desks();
CREATE TRIGGER tell_on_delete AFTER DELETE ON open_task REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_desks();
CREATE FUNCTION tell_worker() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_notify('masar_work', TG_TABLE_NAME); RETURN NULL; END $$;
CREATE TRIGGER tell_worker AFTER INSERT ON message FOR EACH STATEMENT EXECUTE FUNCTION tell_worker();

-- Who begins to wait for a message finds what was parked. Whoever parks one (masar_park) does it under the same lock, so that none is parked past its receiver.
CREATE FUNCTION masar_of_message(name text, correlation text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT hashtextextended(name || E'\n' || correlation, 0) $$;
CREATE FUNCTION masar_find_parked() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(masar_of_message(name, correlation)) FROM opened WHERE kind = 'message';
    UPDATE message m SET is_parked = false FROM opened o
     WHERE o.kind = 'message' AND m.name = o.name AND m.correlation = o.correlation AND m.consumed_at IS NULL AND m.is_parked;
    IF FOUND THEN
        PERFORM pg_notify('masar_work', 'message');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER find_parked AFTER INSERT ON wait REFERENCING NEW TABLE AS opened FOR EACH STATEMENT EXECUTE FUNCTION masar_find_parked();
-- Waits for nobody: where somebody is beginning to wait for it, the message stays as it is and is carried again.
CREATE FUNCTION masar_park(of_message uuid, of_name text, of_correlation text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF pg_try_advisory_xact_lock(masar_of_message(of_name, of_correlation)) THEN
        UPDATE message m SET is_parked = true WHERE m.message_id = of_message
           AND NOT EXISTS (SELECT FROM wait w WHERE w.kind = 'message' AND w.name = of_name AND w.correlation = of_correlation);
    END IF;
END $$;

-- ── The second wall: row-level security, forced ───────────────────────────────────────────────────────────────────────────
-- It guards against our own mistakes (a forgotten WHERE), not against SQL injection: whoever writes SQL also writes the settings.
CREATE FUNCTION masar_is_system() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT coalesce(current_setting('masar.is_system', true) = 'on', false) $$;
CREATE FUNCTION masar_may_write() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT coalesce(current_setting('masar.may_write', true) = 'on', false) $$;
-- Whether a case is entrusted to whoever asks: she is named on it, and the person agreed that the operator be told (C3).
CREATE FUNCTION masar_entrusted(of_root uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM instance r WHERE r.instance_id = of_root AND r.is_shared_operator AND masar_setting('user_id')::uuid = ANY (r.assigned));
END $$;
-- A partner reaches the cases entrusted to her and, where she has a seat, the sittings of her branch: never a branch.
CREATE FUNCTION masar_reaches(of_branch text, of_root uuid, of_subject text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT CASE current_setting('masar.reach', true)
              WHEN 'branch' THEN of_branch = current_setting('masar.branch', true)
              WHEN 'all' THEN true
              ELSE (current_setting('masar.reach', true) = 'own' AND masar_entrusted(of_root))
                   OR (current_setting('masar.sits', true) = 'on' AND of_branch = current_setting('masar.branch', true) AND of_subject LIKE 'seance:%') END $$;
-- Whether what an agency wrote of a case one reaches is hers to read: without C1 it stays with OTE and its author; a partner reaches nothing without C2 or C3.
CREATE FUNCTION masar_shared_with_me(of_shared boolean, of_author text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT of_shared OR current_setting('masar.agency', true) IN ('OTE', 'PART') OR of_author = current_setting('masar.agency', true) OR masar_is_system() $$;
-- Whether a partner asks, who reads and does her own and nothing else.
CREATE FUNCTION masar_is_partner() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT coalesce(current_setting('masar.agency', true) = 'PART', false) $$;
-- A fact's class may be several, joined by commas: its own first, then those whose readers see it too (`also` in the dictionary).
CREATE FUNCTION masar_sees_class(of_class text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT string_to_array(of_class, ',') && string_to_array(coalesce(current_setting('masar.classes', true), ''), ',') $$;
CREATE FUNCTION masar_writes_class(of_class text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT split_part(of_class, ',', 1) = ANY (string_to_array(coalesce(current_setting('masar.writes', true), ''), ',')) $$;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['user_account', 'user_session', 'signin_attempt', 'person', 'person_token', 'instance', 'open_task', 'task_done', 'draft',
                             'wait', 'message', 'incident', 'notice', 'fact', 'document', 'letter', 'ledger_line', 'ledger_sealed', 'fund_waiting',
                             'edition_draft', 'draft_save', 'edition_start'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        -- The named functions below run as the owner, who is under the policies too (FORCE): this one lets them, and only them, read across.
        EXECUTE format('CREATE POLICY of_the_owner ON %I TO CURRENT_USER USING (current_user <> ''masar_app'') WITH CHECK (current_user <> ''masar_app'')', t);
    END LOOP;
END $$;

-- Of a row its case is asked by `(SELECT true … LIMIT 1)`, not by EXISTS: that one the planner may answer by reading every case once (a hashed sub-plan).
-- Colleagues' names are known to whoever is signed in; the hash of a password to nobody (column grant).
CREATE POLICY colleagues ON user_account FOR SELECT TO masar_app USING (masar_setting('user_id') IS NOT NULL OR masar_is_system());
CREATE POLICY own_language ON user_account FOR UPDATE TO masar_app USING (user_id = masar_setting('user_id')::uuid);
CREATE POLICY own_sessions ON user_session FOR ALL TO masar_app USING (user_id = masar_setting('user_id')::uuid);
CREATE POLICY in_reach ON instance FOR SELECT TO masar_app USING (masar_reaches(branch, root_id, subject));
CREATE POLICY write_in_reach ON instance FOR INSERT TO masar_app WITH CHECK (masar_may_write() AND masar_reaches(branch, root_id, subject));
CREATE POLICY change_in_reach ON instance FOR UPDATE TO masar_app USING (masar_may_write() AND masar_reaches(branch, root_id, subject));
-- The tasks of one's branch and those of a case in reach, wherever they wait; a partner's own lane, where nobody else of hers holds the task.
-- Whoever reads no class of facts (a social attaché, who only signals) sees the tasks of her own office.
CREATE POLICY in_reach ON open_task FOR SELECT TO masar_app USING (
    CASE current_setting('masar.reach', true)
         WHEN 'all' THEN masar_setting('classes') IS NOT NULL OR masar_is_system() OR (agency = masar_setting('agency') AND branch = masar_setting('branch'))
         WHEN 'branch' THEN (branch = current_setting('masar.branch', true) AND branch <> 'TUN')  -- at the headquarters wait tasks of every branch's cases
              OR (SELECT true FROM instance i WHERE i.instance_id = open_task.instance_id LIMIT 1)
         ELSE agency = masar_setting('agency') AND branch = masar_setting('branch') AND (holder_id IS NULL OR holder_id = masar_setting('user_id')::uuid)
              AND (SELECT true FROM instance i WHERE i.instance_id = open_task.root_id LIMIT 1) END);
-- A case of one's reach may go on with a task of others (aids at the headquarters, OTE after an operator's visit): a step writes it, a page does not show it.
CREATE POLICY write_of_a_case_in_reach ON open_task FOR ALL TO masar_app
    USING (masar_may_write() AND current_setting('transaction_read_only') = 'off'
           AND (masar_reaches(branch, root_id, '') OR (SELECT true FROM instance i WHERE i.instance_id = open_task.instance_id LIMIT 1)));
CREATE POLICY own_draft ON draft FOR ALL TO masar_app USING (user_id = masar_setting('user_id')::uuid OR masar_is_system());

CREATE POLICY of_a_case_in_reach ON ledger_line FOR SELECT TO masar_app USING ((SELECT true FROM instance i WHERE i.instance_id = ledger_line.instance_id LIMIT 1));
CREATE POLICY add_to_a_case_in_reach ON ledger_line FOR INSERT TO masar_app WITH CHECK (masar_may_write());
-- What was said, and who did what before her, is not a partner's to read.
CREATE POLICY of_a_case_in_reach ON ledger_sealed FOR SELECT TO masar_app
    USING (NOT masar_is_partner() AND (SELECT true FROM instance i WHERE i.instance_id = ledger_sealed.instance_id LIMIT 1));
CREATE POLICY add_to_a_case_in_reach ON ledger_sealed FOR INSERT TO masar_app WITH CHECK (masar_may_write());
CREATE POLICY of_a_case_in_reach ON task_done FOR SELECT TO masar_app
    USING ((NOT masar_is_partner() OR done_by = masar_setting('user_id')::uuid) AND (SELECT true FROM instance i WHERE i.instance_id = task_done.instance_id LIMIT 1));
-- Who did one task of a dossier does not do the one that the diagram keeps apart from it. The task is still there: its row goes in the same statement.
CREATE FUNCTION masar_did_before(of_task uuid, of_user uuid) RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE task record;
BEGIN
    SELECT t.instance_id, t.subjects, t.apart INTO task FROM open_task t WHERE t.task_id = of_task AND t.apart <> '{}';
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    -- The dossier of the task and, at a sitting, the one of the aid it is about.
    RETURN (SELECT d.node FROM task_done d
             WHERE d.instance_id IN (SELECT task.instance_id UNION SELECT i.instance_id FROM jsonb_array_elements_text(task.subjects) s JOIN instance i ON i.subject = s)
               AND task.apart ? d.node AND d.done_by = of_user AND d.outcome = 'completed' ORDER BY d.done_at DESC LIMIT 1);
END $$;
CREATE POLICY add_to_a_case_in_reach ON task_done FOR INSERT TO masar_app
    WITH CHECK (masar_may_write() AND (done_by IS NULL OR outcome <> 'completed' OR masar_did_before(task_id, done_by) IS NULL));
-- Its own branch first: a list of waits must not look up the case of each.
CREATE POLICY of_a_case_in_reach ON wait FOR SELECT TO masar_app
    USING (masar_reaches(branch, NULL, NULL) OR (SELECT true FROM instance i WHERE i.instance_id = wait.instance_id LIMIT 1));
CREATE POLICY add_to_a_case_in_reach ON wait FOR INSERT TO masar_app WITH CHECK (masar_may_write());
CREATE POLICY change_of_a_case_in_reach ON wait FOR UPDATE TO masar_app
    USING (masar_may_write() AND (SELECT true FROM instance i WHERE i.instance_id = wait.instance_id LIMIT 1));
CREATE POLICY close_of_a_case_in_reach ON wait FOR DELETE TO masar_app
    USING (masar_may_write() AND (SELECT true FROM instance i WHERE i.instance_id = wait.instance_id LIMIT 1));
-- Whether a partner with a seat sat at this sitting, having done a task of it, and every person whose aid is told of agrees that the funder be told (C2).
CREATE FUNCTION masar_sat(of_root uuid, of_aids uuid[]) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN coalesce(current_setting('masar.sits', true) = 'on', false)
       AND EXISTS (SELECT FROM instance s WHERE s.instance_id = of_root AND s.subject LIKE 'seance:%' AND s.branch = masar_setting('branch'))
       AND EXISTS (SELECT FROM task_done d WHERE d.root_id = of_root AND d.done_by = masar_setting('user_id')::uuid AND d.outcome = 'completed')
       AND NOT EXISTS (SELECT FROM unnest(of_aids) a WHERE NOT EXISTS (
               SELECT FROM instance f JOIN instance r ON r.instance_id = f.root_id WHERE f.subject = 'aide:' || a AND f.process = 'dossier_aide' AND r.is_shared_funder));
END $$;
-- A letter is between the administration and the person, whom it names: without C1 OTE's alone, and no partner's, save what a sitting wrote for those who sat.
CREATE POLICY of_a_case_in_reach ON letter FOR SELECT TO masar_app
    USING (masar_sees_class(class) AND CASE WHEN masar_is_partner() THEN masar_sat(root_id, about)
           ELSE (SELECT true FROM instance i WHERE i.instance_id = letter.root_id AND masar_shared_with_me(i.is_shared, 'OTE') LIMIT 1) END);
CREATE POLICY add_to_a_case_in_reach ON letter FOR INSERT TO masar_app WITH CHECK (masar_may_write());
CREATE POLICY in_reach ON incident FOR SELECT TO masar_app USING (masar_reaches(branch, NULL, NULL));
CREATE POLICY add_in_reach ON incident FOR INSERT TO masar_app WITH CHECK (masar_may_write());
CREATE POLICY change_in_reach ON incident FOR UPDATE TO masar_app USING (masar_may_write() AND masar_reaches(branch, NULL, NULL));
-- Whether a message's key names something: a case by its number, an instance by its id or that of its aid, a measure, or what an instance waits for.
CREATE FUNCTION masar_addressee(of_key text) RETURNS boolean LANGUAGE sql STABLE AS
    $$ SELECT EXISTS (SELECT FROM instance i WHERE i.instance_id = CASE WHEN of_key ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' THEN of_key::uuid END)
           OR EXISTS (SELECT FROM instance i WHERE i.number = of_key)
           OR EXISTS (SELECT FROM wait w JOIN instance i USING (instance_id) WHERE w.kind = 'message' AND w.correlation = of_key)
           OR EXISTS (SELECT FROM fact f JOIN instance i ON i.instance_id = f.root_id WHERE f.is_current AND f.subject = ANY (ARRAY['aide:' || of_key, 'mesure:' || of_key])) $$;
CREATE FUNCTION masar_addressee_anywhere(of_key text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT masar_addressee(of_key) $$;
-- A step sends for its own instance; a person to nobody's case but those she reaches.
CREATE POLICY sent_by_a_case ON message FOR INSERT TO masar_app WITH CHECK (masar_may_write() AND
    CASE WHEN sender_id IS NOT NULL THEN (SELECT true FROM instance i WHERE i.instance_id = message.sender_id LIMIT 1)
         ELSE masar_addressee(correlation) OR NOT masar_addressee_anywhere(correlation) END);
CREATE POLICY carried_by_the_system ON message FOR ALL TO masar_app USING (masar_is_system());
CREATE POLICY to_me_or_my_role ON notice FOR SELECT TO masar_app
    USING (user_id = masar_setting('user_id')::uuid OR (user_id IS NULL AND (agency IN ('', masar_setting('agency')) OR masar_is_system()) AND masar_reaches(branch, NULL, NULL)));
CREATE POLICY read_by_me ON notice FOR UPDATE TO masar_app
    USING (user_id = masar_setting('user_id')::uuid OR (user_id IS NULL AND (agency IN ('', masar_setting('agency')) OR masar_is_system()) AND masar_reaches(branch, NULL, NULL)));
CREATE POLICY sent_by_the_system ON notice FOR INSERT TO masar_app WITH CHECK (masar_may_write());
CREATE POLICY born_with_a_case ON person FOR INSERT TO masar_app WITH CHECK (masar_may_write());
CREATE POLICY of_a_case_in_reach ON person FOR SELECT TO masar_app
    USING (masar_is_system() OR (SELECT true FROM instance i WHERE i.person_id = person.person_id LIMIT 1));
-- By these a name is found: whoever may not read the name may not find the case by it.
CREATE POLICY of_a_person_in_reach ON person_token FOR SELECT TO masar_app
    USING (masar_is_system() OR (SELECT true FROM instance i WHERE i.person_id = person_token.person_id AND i.root_id = i.instance_id
                                           AND masar_shared_with_me(i.is_shared, '') LIMIT 1));
CREATE POLICY add_of_a_person ON person_token FOR INSERT TO masar_app WITH CHECK (masar_may_write());
CREATE POLICY drop_of_a_person ON person_token FOR DELETE TO masar_app
    USING (masar_may_write() AND (SELECT true FROM instance i WHERE i.person_id = person_token.person_id LIMIT 1));

CREATE POLICY of_a_case_in_reach ON fund_waiting FOR SELECT TO masar_app
    USING (masar_is_system() OR (SELECT true FROM instance i WHERE i.instance_id = fund_waiting.instance_id LIMIT 1));
CREATE POLICY add_to_a_case_in_reach ON fund_waiting FOR INSERT TO masar_app
    WITH CHECK (masar_may_write() AND (SELECT true FROM instance i WHERE i.instance_id = fund_waiting.instance_id LIMIT 1));
CREATE POLICY drop_of_a_case_in_reach ON fund_waiting FOR DELETE TO masar_app
    USING (masar_may_write() AND (SELECT true FROM instance i WHERE i.instance_id = fund_waiting.instance_id LIMIT 1));
-- Class by class; without consent C1 a fact stays with OTE and with the agency that wrote it; health with the named social worker.
CREATE POLICY class_and_case ON fact FOR SELECT TO masar_app USING (
    masar_is_system() OR (masar_sees_class(class) AND EXISTS (
        SELECT FROM instance i WHERE i.instance_id = fact.root_id AND masar_shared_with_me(i.is_shared, fact.author_agency)
           AND (fact.class <> 'H' OR i.social_worker_id = masar_setting('user_id')::uuid))));
-- What an operation of a diagram finds out (source `system`) or takes up from a signal is recorded in whatever class, whoever moved the case on. A sitting writes of the aids on its agenda.
CREATE POLICY class_and_case_written ON fact FOR INSERT TO masar_app WITH CHECK (
    masar_may_write() AND (masar_writes_class(class) OR source ->> 'kind' IN ('system', 'signal')) AND (
        (SELECT true FROM instance i WHERE i.instance_id = fact.root_id LIMIT 1)
        OR (SELECT true FROM instance i WHERE i.instance_id = fact.instance_id AND i.subject LIKE 'seance:%' AND i.scope -> 'aide' ? split_part(fact.subject, ':', 2) LIMIT 1)));
CREATE POLICY class_and_case ON document FOR SELECT TO masar_app USING (
    masar_is_system() OR (uploaded_by = masar_setting('user_id')::uuid AND (root_id IS NULL OR NOT masar_is_partner()))
    OR (root_id IS NOT NULL AND masar_sees_class(class) AND (SELECT true FROM instance i WHERE i.instance_id = document.root_id
         AND masar_shared_with_me(i.is_shared, '') AND (document.class <> 'H' OR i.social_worker_id = masar_setting('user_id')::uuid) LIMIT 1)));
CREATE POLICY uploaded_by_me ON document FOR INSERT TO masar_app WITH CHECK (masar_may_write() AND uploaded_by = masar_setting('user_id')::uuid);
CREATE POLICY attached_by_me ON document FOR UPDATE TO masar_app USING (uploaded_by = masar_setting('user_id')::uuid OR masar_is_system());

-- Drafts are the coordinators'; auditors read them; what came with a new version of Masar is written by the system. Roles are asked of the account itself
-- (once a statement: `SELECT` keeps the question out of the rows).
CREATE FUNCTION masar_holds(VARIADIC wanted text[]) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT EXISTS (SELECT FROM user_account u WHERE u.user_id = masar_setting('user_id')::uuid AND u.is_active AND u.roles && wanted) $$;
CREATE POLICY of_the_coordinators ON edition_draft FOR SELECT TO masar_app USING (masar_is_system() OR (SELECT masar_holds('coordinateur', 'auditeur')));
CREATE POLICY opened_by_me ON edition_draft FOR INSERT TO masar_app
    WITH CHECK (state = 'open' AND opened_by IS NOT DISTINCT FROM masar_setting('user_id')::uuid AND (masar_is_system() OR (SELECT masar_holds('coordinateur'))));
CREATE POLICY changed_by_coordinators ON edition_draft FOR UPDATE TO masar_app USING ((SELECT masar_holds('coordinateur')));
CREATE POLICY of_the_coordinators ON draft_save FOR SELECT TO masar_app USING (masar_is_system() OR (SELECT masar_holds('coordinateur', 'auditeur')));
CREATE POLICY saved_by_me ON draft_save FOR INSERT TO masar_app WITH CHECK (
    saved_by IS NOT DISTINCT FROM masar_setting('user_id')::uuid AND (masar_is_system() OR (SELECT masar_holds('coordinateur')))
    AND EXISTS (SELECT FROM edition_draft d WHERE d.draft_id = draft_save.draft_id AND d.state = 'open'));
CREATE POLICY settled_by_coordinators ON draft_save FOR UPDATE TO masar_app
    USING (is_aside AND (SELECT masar_holds('coordinateur')) AND EXISTS (SELECT FROM edition_draft d WHERE d.draft_id = draft_save.draft_id AND d.state = 'open'));
-- Two persons: whoever saved anything in a draft, or submitted it, does not approve it; what was decided stays so.
CREATE FUNCTION refuse_own_approval() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE me uuid := masar_setting('user_id')::uuid;
BEGIN
    IF OLD.state IN ('published', 'dropped') THEN
        RAISE EXCEPTION 'draft % was decided and does not change', OLD.draft_id USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.submitted_by IS DISTINCT FROM OLD.submitted_by AND NOT (OLD.state = 'open' AND NEW.state = 'submitted' AND NEW.submitted_by = me) THEN
        RAISE EXCEPTION 'draft % is submitted by whoever submits it', OLD.draft_id USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.state = 'published' AND (OLD.state <> 'submitted' OR NEW.decided_by IS DISTINCT FROM me OR OLD.submitted_by IS NOT DISTINCT FROM me
            OR EXISTS (SELECT FROM draft_save s WHERE s.draft_id = OLD.draft_id AND s.saved_by = me)) THEN
        RAISE EXCEPTION 'draft % is approved by somebody who neither wrote nor submitted it', OLD.draft_id USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER by_two BEFORE UPDATE ON edition_draft FOR EACH ROW EXECUTE FUNCTION refuse_own_approval();
-- What may come into force: the first edition, with the installation; afterwards what was approved a moment ago, and not before now.
CREATE FUNCTION masar_may_start(of_edition uuid, of_draft uuid, at timestamptz) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT CASE WHEN of_draft IS NULL THEN masar_is_system() AND NOT EXISTS (SELECT FROM edition_start)
              ELSE at >= masar_now() AND EXISTS (SELECT FROM edition_draft d WHERE d.draft_id = of_draft AND d.state = 'published' AND d.edition_id = of_edition
                                                    AND d.decided_by = masar_setting('user_id')::uuid) END $$;
CREATE POLICY known_to_all ON edition_start FOR SELECT TO masar_app USING (masar_setting('user_id') IS NOT NULL OR masar_is_system());
CREATE POLICY approved ON edition_start FOR INSERT TO masar_app WITH CHECK (masar_may_start(edition_id, draft_id, starts_at));

-- ── Named openings in the wall: each answers one question and no more ─────────────────────────────────────────────────────────
-- Before anybody is signed in: who is this, by user name (for the password check) or by token.
CREATE FUNCTION masar_credentials(of_username text) RETURNS TABLE (user_id uuid, password_hash text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT u.user_id, u.password_hash FROM user_account u WHERE u.username = of_username AND u.is_active $$;
CREATE FUNCTION masar_session(of_digest bytea) RETURNS TABLE (user_id uuid, username text, name text, name_ar text, agency text, branch text,
        roles text[], language text, kind text, csrf text, expires_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT u.user_id, u.username, u.name, u.name_ar, u.agency, u.branch, u.roles, u.language, s.kind, s.csrf, s.expires_at
      FROM user_session s JOIN user_account u ON u.user_id = s.user_id
     WHERE s.token_digest = of_digest AND s.revoked_at IS NULL AND s.expires_at > now() AND u.is_active;
END $$;
-- Raises the wall for one transaction, and says whose session `of_digest` is at this moment, as text: whoever remembered it sees whether it still holds.
CREATE FUNCTION masar_raise(of_digest bytea, settings text[], is_reading boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE place integer;
BEGIN
    FOR place IN 1 .. array_length(settings, 1) BY 2 LOOP
        PERFORM set_config('masar.' || settings[place], settings[place + 1], true);
    END LOOP;
    IF is_reading THEN
        PERFORM set_config('transaction_read_only', 'on', true);
    ELSE
        -- A unit of work runs few statements many times: planning each anew costs a fifth of its time. Reading keeps plans made for its values (prefixes).
        PERFORM set_config('plan_cache_mode', 'force_generic_plan', true);
        -- It looks a few rows up, and its plans outlive the day they were made: one that reads a table whole because it was small is wrong a week later.
        PERFORM set_config('enable_seqscan', 'off', true);
    END IF;
    IF of_digest IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT s::text FROM masar_session(of_digest) s);
END $$;
CREATE FUNCTION masar_open_session(of_digest bytea, of_user uuid, of_kind text, of_csrf text, of_hours integer, of_agent text) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ INSERT INTO user_session (token_digest, user_id, kind, csrf, expires_at, agent)
       VALUES (of_digest, of_user, of_kind, of_csrf, now() + make_interval(hours => of_hours), of_agent) $$;
CREATE FUNCTION masar_signin_failures(of_subject text) RETURNS integer LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT count(*)::integer FROM signin_attempt WHERE subject = of_subject AND failed_at > now() - interval '15 minutes' $$;
CREATE FUNCTION masar_note_signin_failure(of_subject text) RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ DELETE FROM signin_attempt WHERE failed_at < now() - interval '1 day'; INSERT INTO signin_attempt (subject) VALUES (of_subject) $$;
CREATE FUNCTION masar_demo_accounts() RETURNS TABLE (username text, name text, name_ar text, agency text, branch text, roles text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT u.username, u.name, u.name_ar, u.agency, u.branch, u.roles FROM user_account u, installation i
        WHERE i.is_demo AND u.is_demo AND u.is_active ORDER BY u.branch, u.agency, u.username $$;

-- The engine reads every fact a diagram may read, whoever completes the task; what a person sees goes through the policy on fact instead.
-- (plpgsql keeps the plans of a connection; a SQL function that is not inlined is planned at each call before version 18.)
-- `of_fields`: names parted by spaces (an array of some hundred names took longer to send than the facts to read). Each branch has its own index; the
-- fields sift what that finds (`|| ''` keeps them from being looked up one by one).
CREATE FUNCTION masar_snapshot(of_root uuid, of_person uuid, of_subjects text[], of_fields text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE fields text[] := string_to_array(of_fields, ' ');
BEGIN
    IF NOT EXISTS (SELECT FROM instance i WHERE i.instance_id = of_root AND masar_reaches(i.branch, i.root_id, i.subject)) THEN
        RETURN '[]';
    END IF;
    RETURN coalesce((
    SELECT json_agg(json_build_array(f.subject, f.field, f.value, f.status, f.class, f.author_agency, f.source, f.author_name, f.author_id, f.recorded_at, f.valid_until, f.fact_id))
      FROM (SELECT own.* FROM fact own WHERE own.root_id = of_root AND own.is_current
            UNION ALL
            SELECT about.* FROM fact about WHERE about.subject = ANY (of_subjects) AND about.is_current AND about.root_id <> of_root
            UNION ALL
            SELECT hers.* FROM fact hers WHERE hers.person_id = of_person AND hers.is_current AND hers.root_id <> of_root AND hers.subject <> ALL (of_subjects)
               AND (hers.subject LIKE 'person:%' OR hers.subject LIKE 'membre:%')) f
     WHERE f.field IN (SELECT unnest(fields))  -- hashed: three hundred fields, each fact looked up once
    )::text, '[]');
END $$;
-- The case that an aid belongs to, and what its person agreed to: for whoever reaches the case, or a sitting that has the aid on its agenda.
CREATE FUNCTION masar_home_of_aid(of_subject text) RETURNS TABLE (root_id uuid, person_id uuid, branch text, is_shared boolean, is_shared_funder boolean,
        is_shared_operator boolean, assigned uuid[], social_worker_id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT r.instance_id, r.person_id, r.branch, r.is_shared, r.is_shared_funder, r.is_shared_operator, r.assigned, r.social_worker_id
      FROM instance d JOIN instance r ON r.instance_id = d.root_id
     WHERE d.subject = of_subject AND d.process = 'dossier_aide'
       AND (masar_reaches(r.branch, r.root_id, r.subject)
            OR EXISTS (SELECT FROM instance s WHERE s.subject LIKE 'seance:%' AND s.scope -> 'aide' ? split_part(of_subject, ':', 2)
                          AND masar_reaches(s.branch, s.root_id, s.subject)));
END $$;
-- A fact is never changed: the newer one takes its place, the older stays in history. Asked by `masar_record` alone: whose class one may not read is replaced too.
CREATE FUNCTION masar_retire(said jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE newer record;
BEGIN
    -- One by one, each by its index: joined, the planner takes the few for a hundred and reads every fact there is.
    FOR newer IN SELECT * FROM jsonb_to_recordset(said) AS n(subject text, field text) LOOP
        UPDATE fact f SET is_current = false WHERE f.subject = newer.subject AND f.field = newer.field AND f.is_current;
    END LOOP;
END $$;
-- A signal that nobody came after leaves nothing of the person (§4.1); a job asks, no person can.
-- It says whether it did: nothing goes of somebody who has a case since.
CREATE FUNCTION masar_forget_signal(of_root uuid) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE whose uuid;
BEGIN
    SELECT person_id INTO whose FROM instance WHERE instance_id = of_root AND process = 'signalement' AND masar_is_system();
    IF NOT FOUND OR EXISTS (SELECT FROM instance WHERE person_id = whose AND root_id <> of_root) THEN
        RETURN false;
    END IF;
    DELETE FROM fact WHERE root_id = of_root;
    DELETE FROM person_token WHERE person_id = whose;
    DELETE FROM draft USING open_task t WHERE t.task_id = draft.task_id AND t.root_id = of_root;
    RETURN true;
END $$;
-- Whether somebody is known already, in any branch: enough to prevent a second case, not enough to read the first.
CREATE FUNCTION masar_matches(of_tokens jsonb) RETURNS TABLE (person_id uuid, kinds text[], root_id uuid, number text, branch text, status text, ended_at timestamptz, outcome text, process text, bones text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT t.person_id, array_agg(DISTINCT t.kind), i.instance_id, i.number, i.branch, i.status, i.ended_at, i.outcome, i.process,
              (SELECT array_agg(split_part(n.token, '|', 1)) FROM person_token n WHERE n.person_id = t.person_id AND n.kind = 'namebirth')
         FROM jsonb_to_recordset(of_tokens) AS w(kind text, token text) JOIN person_token t ON t.kind = w.kind AND t.token = w.token
         JOIN instance i ON i.person_id = t.person_id AND i.root_id = i.instance_id
        WHERE (masar_setting('user_id') IS NOT NULL OR masar_is_system())
          AND NOT (i.process = 'signalement' AND i.status = 'ended')  -- a signal that was answered is no case to open
        GROUP BY t.person_id, i.instance_id ORDER BY bool_or(t.kind IN ('cin', 'passport', 'namebirth')) DESC, i.opened_at DESC LIMIT 2000 $$;
-- Whose turn it is on a programme's fund, in any branch; who withdrew meanwhile is passed over.
CREATE FUNCTION masar_first_in_line(of_programme text) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT w.aid_id FROM fund_waiting w JOIN instance i ON i.instance_id = w.instance_id AND i.status = 'open'
        WHERE w.programme = of_programme AND masar_may_write() ORDER BY w.class DESC, w.asked_on, w.arrival LIMIT 1 $$;
CREATE FUNCTION masar_next_number(of_series text, of_branch text, of_year integer) RETURNS integer
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ INSERT INTO case_number AS c (series, branch, year, last) VALUES (of_series, of_branch, of_year, 1)
       ON CONFLICT (series, branch, year) DO UPDATE SET last = c.last + 1 RETURNING last $$;
-- The receipt's public page: stage, who is waited for, since when. No name, no content, no reason. Of a signal that was answered, where the case of its person stands.
CREATE FUNCTION masar_receipt(of_code text) RETURNS TABLE (stage text, status text, agency text, waiting_since timestamptz, next_due timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT i.stage, i.status, t.agency, t.opened_at, t.due_at FROM instance r
         JOIN LATERAL (SELECT c.* FROM instance c WHERE c.instance_id = r.instance_id
                          OR (r.process = 'signalement' AND r.status = 'ended' AND c.person_id = r.person_id AND c.process = 'parcours' AND c.root_id = c.instance_id)
                        ORDER BY c.opened_at DESC LIMIT 1) i ON true
         LEFT JOIN LATERAL (SELECT agency, opened_at, due_at FROM open_task WHERE root_id = i.instance_id ORDER BY sort_due LIMIT 1) t ON true
        WHERE r.receipt_code = of_code $$;
-- Whether a paper that somebody holds was written here: which kind, by which branch, when. No name, no content.
CREATE FUNCTION masar_letter(of_code text) RETURNS TABLE (titles jsonb, branch text, produced_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT l.content -> 'titles', i.branch, l.produced_at FROM letter l JOIN instance i ON i.instance_id = l.root_id
        WHERE l.code = of_code ORDER BY l.produced_at DESC LIMIT 1 $$;

-- ── One step, one call ────────────────────────────────────────────────────────────────────────────────────────────────────────
-- The rights are the caller's, every policy and guard above holds. Rows come as JSON; what has none costs nothing, and plans are kept by the connection.
-- The ledger lines of an instance, in order: [{seq, kind, line, hash, ciphertext}], bytes in base64.
CREATE FUNCTION masar_append(of_instance uuid, of_person uuid, lines jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger_line (instance_id, seq, kind, line, hash)
    SELECT of_instance, r.seq, r.kind, r.line, decode(r.hash, 'base64') FROM jsonb_to_recordset(lines) AS r(seq bigint, kind text, line text, hash text) ORDER BY r.seq;
    INSERT INTO ledger_sealed (instance_id, seq, person_id, ciphertext)
    SELECT of_instance, r.seq, of_person, decode(r.ciphertext, 'base64') FROM jsonb_to_recordset(lines) AS r(seq bigint, ciphertext text) WHERE r.ciphertext IS NOT NULL;
END $$;
-- Facts that somebody said; each takes the place of the current one of its subject and field.
CREATE FUNCTION masar_record(of_instance uuid, of_now timestamptz, by_id uuid, by_name text, by_agency text, said jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM masar_retire(said);
    INSERT INTO fact (person_id, root_id, instance_id, subject, field, value, status, class, source, author_id, author_name, author_agency, recorded_at, valid_until, seq, reason)
    SELECT f.person_id, f.root_id, of_instance, f.subject, f.field, f.value, f.status, f.class, f.source, by_id, by_name, by_agency, of_now, f.valid_until, f.seq, f.reason
      FROM jsonb_to_recordset(said) AS f(person_id uuid, root_id uuid, subject text, field text, value jsonb, status text, class text, source jsonb,
           valid_until timestamptz, seq bigint, reason text);
END $$;
-- Everything that one act did to an instance: lines, facts, tasks, letters, waits, messages, incidents, and the instance itself.
CREATE FUNCTION masar_step(of_instance uuid, of_now timestamptz, by_id uuid, by_name text, by_agency text, of_state bytea, step jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    own instance := jsonb_populate_record(NULL::instance, step -> 'instance');
    closed uuid[] := ARRAY(SELECT jsonb_array_elements_text(step -> 'closed')::uuid);
BEGIN
    IF step ? 'lines' THEN
        PERFORM masar_append(of_instance, own.person_id, step -> 'lines');
    END IF;
    IF step ? 'facts' THEN
        PERFORM masar_record(of_instance, of_now, by_id, by_name, by_agency, step -> 'facts');
    END IF;
    IF step ? 'done' THEN  -- while the task is still there: its policy asks whom it is kept apart from
        INSERT INTO task_done (task_id, instance_id, root_id, node, outcome, done_by, done_at, key, request_digest)
        SELECT r.task_id, of_instance, own.root_id, r.node, r.outcome, r.done_by, of_now, r.key, decode(r.digest, 'hex')
          FROM jsonb_to_recordset(step -> 'done') AS r(task_id uuid, node text, outcome text, done_by uuid, key text, digest text);
    END IF;
    IF step ? 'closed' THEN
        DELETE FROM open_task WHERE task_id = ANY (closed);
        DELETE FROM draft WHERE task_id = ANY (closed);
    END IF;
    IF step ? 'opened' THEN
        INSERT INTO open_task (task_id, instance_id, root_id, position, process, node, names, kind, form, subject, subjects, agency, branch, role,
                               holder_id, opened_at, claimed_at, due_at, remind_at, case_number, case_branch, stage, priority, apart)
        SELECT r.task_id, of_instance, own.root_id, r.position, r.process, r.node, r.names, r.kind, r.form, r.subject, r.subjects, r.agency, r.branch, r.role,
               r.holder_id, of_now, CASE WHEN r.holder_id IS NULL THEN NULL ELSE of_now END, r.due_at, r.due_at, step ->> 'number', own.branch, r.stage, own.priority,
               r.apart
          FROM jsonb_to_recordset(step -> 'opened') AS r(task_id uuid, position text, process text, node text, names jsonb, kind text, form text,
               subject text, subjects jsonb, agency text, branch text, role text, holder_id uuid, due_at timestamptz, stage text, apart jsonb);
    END IF;
    IF step ? 'letters' THEN
        INSERT INTO letter (letter_id, instance_id, root_id, template, content, class, code, produced_at, about)
        SELECT r.letter_id, of_instance, own.root_id, r.template, r.content, r.class, r.code, of_now, r.about
          FROM jsonb_to_recordset(step -> 'letters') AS r(letter_id uuid, template text, content jsonb, class text, code text, about uuid[]);
    END IF;
    IF step ? 'messages' THEN
        INSERT INTO message (message_id, name, correlation, payload, sender_id, created_at)
        SELECT r.message_id, r.name, r.correlation, r.payload, of_instance, of_now
          FROM jsonb_to_recordset(step -> 'messages') AS r(message_id uuid, name text, correlation text, payload jsonb);
    END IF;
    IF step ? 'waits_closed' THEN
        DELETE FROM wait WHERE instance_id = of_instance AND position = ANY (ARRAY(SELECT jsonb_array_elements_text(step -> 'waits_closed')));
    END IF;
    IF step ? 'waits' THEN
        INSERT INTO wait (instance_id, position, node, kind, name, correlation, labels, opened_at, due_at, branch, awaits)
        SELECT of_instance, r.position, r.node, r.kind, r.name, r.correlation, r.labels, of_now, r.due_at, own.branch, r.awaits
          FROM jsonb_to_recordset(step -> 'waits') AS r(position text, node text, kind text, name text, correlation text, labels jsonb, due_at timestamptz, awaits text);
    END IF;
    IF step ? 'mended' THEN
        UPDATE incident SET resolved_at = of_now WHERE instance_id = of_instance AND resolved_at IS NULL
           AND position = ANY (ARRAY(SELECT jsonb_array_elements_text(step -> 'mended')));
    END IF;
    IF step ? 'incidents' THEN
        INSERT INTO incident (incident_id, instance_id, root_id, branch, position, node, code, details, opened_at)
        SELECT r.incident_id, of_instance, own.root_id, own.branch, r.position, r.node, r.code, r.details, of_now
          FROM jsonb_to_recordset(step -> 'incidents') AS r(incident_id uuid, position text, node text, code text, details jsonb);
    END IF;
    UPDATE instance SET state = of_state, seq = own.seq, head = decode(step ->> 'head', 'base64'), stage = own.stage, status = own.status, outcome = own.outcome,
           ended_at = own.ended_at, branch = own.branch, scope = own.scope, subject = own.subject, priority = own.priority, referent_id = own.referent_id,
           social_worker_id = own.social_worker_id, is_shared = own.is_shared, is_shared_funder = own.is_shared_funder,
           is_shared_operator = own.is_shared_operator, assigned = own.assigned, receipt_code = own.receipt_code
     WHERE instance_id = of_instance;
END $$;

-- ── What the application may touch at all ─────────────────────────────────────────────────────────────────────────────────────
GRANT SELECT ON installation, demo_clock, agency, branch, edition, edition_file, programme, fund, parameter, dated_scope, holiday TO masar_app;
GRANT UPDATE (shift) ON demo_clock TO masar_app;
GRANT INSERT ON edition, edition_file, dated_scope TO masar_app;
GRANT SELECT, INSERT ON edition_start, edition_draft, draft_save TO masar_app;
GRANT UPDATE ON edition_draft TO masar_app;
GRANT UPDATE (settled, settled_by, settled_at) ON draft_save TO masar_app;
GRANT UPDATE ON fund TO masar_app;
GRANT SELECT (user_id, username, name, name_ar, agency, branch, roles, language, is_active, is_demo, created_at) ON user_account TO masar_app;
GRANT UPDATE (language, password_hash) ON user_account TO masar_app;
GRANT SELECT, UPDATE (revoked_at) ON user_session TO masar_app;
GRANT SELECT, INSERT ON person, person_token, task_done, fact, letter, ledger_line, ledger_sealed TO masar_app;
GRANT DELETE ON person_token TO masar_app;
GRANT SELECT, INSERT, UPDATE ON instance, message, incident, notice TO masar_app;
GRANT SELECT, INSERT ON document TO masar_app;
GRANT UPDATE (root_id, class) ON document TO masar_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON open_task, draft, wait TO masar_app;
GRANT SELECT, INSERT, DELETE ON fund_waiting TO masar_app;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO masar_app;
