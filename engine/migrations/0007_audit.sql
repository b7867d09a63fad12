-- Audit: history that can be searched, samples that anyone draws again, findings that are answered and may hold a publication.

-- ── History by who, when and what ─────────────────────────────────────────────────────────────────────────────────────────────────
-- Of a line, what is searched for, as columns: under row-level security an index is used by equality of a column alone, not of an expression. A line is canonical
-- JSON, whose members stand in order: it begins with the actor (agency, branch, id), and an unescaped `"occurred_at":` stands nowhere inside a text.
ALTER TABLE ledger_line
    ADD COLUMN actor_id text GENERATED ALWAYS AS (CASE WHEN starts_with(line, '{"actor":{"agency":"') AND split_part(line, '"', 12) = 'id' THEN split_part(line, '"', 14) ELSE '' END) STORED,
    ADD COLUMN agency text GENERATED ALWAYS AS (CASE WHEN starts_with(line, '{"actor":{"agency":"') THEN split_part(line, '"', 6) ELSE '' END) STORED,
    ADD COLUMN at text COLLATE "C" GENERATED ALWAYS AS (split_part(split_part(line, '"occurred_at":"', 2), '"', 1)) STORED;
CREATE INDEX ledger_line_by_actor ON ledger_line (actor_id, at DESC);
CREATE INDEX ledger_line_by_agency ON ledger_line (agency, at DESC);
CREATE INDEX ledger_line_by_kind ON ledger_line (kind, at DESC);
-- Which rules fired on which line.
CREATE TABLE rule_fired (
    rule text NOT NULL, decision text NOT NULL, instance_id uuid NOT NULL, seq bigint NOT NULL, at text COLLATE "C" NOT NULL, PRIMARY KEY (instance_id, seq, decision, rule)
);
CREATE INDEX rule_fired_by_rule ON rule_fired (rule, at DESC);
CREATE FUNCTION masar_rules_of(of_line text) RETURNS TABLE (decision text, rule text) LANGUAGE sql IMMUTABLE AS
    $$ SELECT DISTINCT d.value ->> 1, r.value FROM jsonb_array_elements(of_line::jsonb #> '{body,decisions}') d, jsonb_array_elements_text(d.value -> 2) r $$;
CREATE FUNCTION masar_note_rules() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO rule_fired (rule, decision, instance_id, seq, at)
    SELECT f.rule, f.decision, NEW.instance_id, NEW.seq, NEW.at FROM masar_rules_of(NEW.line) f ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER note_rules AFTER INSERT ON ledger_line FOR EACH ROW WHEN (NEW.line LIKE '%"decisions":[%') EXECUTE FUNCTION masar_note_rules();
INSERT INTO rule_fired (rule, decision, instance_id, seq, at)
SELECT f.rule, f.decision, l.instance_id, l.seq, l.at FROM ledger_line l, masar_rules_of(l.line) f WHERE l.line LIKE '%"decisions":[%' ON CONFLICT DO NOTHING;
CREATE INDEX task_done_by_node ON task_done (node, instance_id) WHERE done_by IS NOT NULL;

-- ── Samples ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
-- The first of a population in the order of SHA-256(seed || case id). The population is kept: anybody draws the same again.
CREATE TABLE audit_sample (
    sample_id uuid PRIMARY KEY, seed text NOT NULL CHECK (seed <> ''), size integer NOT NULL CHECK (size > 0), process text NOT NULL, branch text NOT NULL DEFAULT '',
    opened_from date, opened_to date, population uuid[] NOT NULL, drawn uuid[] NOT NULL, drawn_by uuid NOT NULL REFERENCES user_account,
    drawn_at timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION refuse_other_sample() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.drawn IS DISTINCT FROM (SELECT coalesce(array_agg(d.id ORDER BY d.digest, d.id), '{}') FROM (
           SELECT id, sha256(convert_to(NEW.seed || id::text, 'UTF8')) AS digest FROM unnest(NEW.population) id ORDER BY 2, 1 LIMIT NEW.size) d) THEN
        RAISE EXCEPTION 'sample % is not what its seed draws', NEW.sample_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER as_its_seed_draws BEFORE INSERT ON audit_sample FOR EACH ROW EXECUTE FUNCTION refuse_other_sample();

-- ── Findings ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
-- Attached to a line of a case or to an element of an edition's diagram; answered by whoever holds a role in a branch. `holds`: no edition is published meanwhile.
CREATE TABLE finding (
    finding_id uuid PRIMARY KEY, number bigint GENERATED ALWAYS AS IDENTITY UNIQUE, instance_id uuid REFERENCES instance, seq bigint, edition_id uuid REFERENCES edition,
    process text NOT NULL DEFAULT '', element text NOT NULL DEFAULT '', said text NOT NULL CHECK (said <> ''), answer_role text NOT NULL, answer_branch text NOT NULL,
    due_on date NOT NULL, holds boolean NOT NULL DEFAULT false, state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'answered', 'closed')),
    opened_by uuid NOT NULL REFERENCES user_account, opened_at timestamptz NOT NULL, lifted_by uuid REFERENCES user_account, lifted_at timestamptz,
    closed_by uuid REFERENCES user_account, closed_at timestamptz,
    FOREIGN KEY (instance_id, seq) REFERENCES ledger_line (instance_id, seq),
    CHECK ((instance_id IS NOT NULL AND seq IS NOT NULL AND edition_id IS NULL AND process = '' AND element = '')
        OR (instance_id IS NULL AND seq IS NULL AND edition_id IS NOT NULL AND process <> '' AND element <> ''))
);
CREATE INDEX finding_to_answer ON finding (answer_role, answer_branch, due_on) WHERE state = 'open';
CREATE INDEX finding_of_instance ON finding (instance_id) WHERE instance_id IS NOT NULL;
CREATE INDEX finding_holding ON finding (number) WHERE holds AND state <> 'closed' AND lifted_at IS NULL;
CREATE TABLE finding_word (
    finding_id uuid NOT NULL REFERENCES finding, place integer NOT NULL, kind text NOT NULL CHECK (kind IN ('answer', 'return', 'lift', 'close')),
    said text NOT NULL CHECK (said <> ''), said_by uuid NOT NULL REFERENCES user_account, said_at timestamptz NOT NULL, PRIMARY KEY (finding_id, place)
);
-- Whose turn it is to answer: the role in the branch, as the account has them.
CREATE FUNCTION masar_answers(of_role text, of_branch text) RETURNS boolean LANGUAGE sql STABLE AS
    $$ SELECT masar_holds(of_role) AND of_branch = masar_setting('branch') $$;
CREATE FUNCTION refuse_finding_out_of_turn() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    me uuid := masar_setting('user_id')::uuid;
    is_auditor boolean := masar_holds('auditeur');
    changing text[] := '{state,lifted_by,lifted_at,closed_by,closed_at}';
BEGIN
    IF current_user <> 'masar_app' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NOT is_auditor OR NEW.opened_by IS DISTINCT FROM me OR NEW.state <> 'open' OR NEW.lifted_at IS NOT NULL THEN
            RAISE EXCEPTION 'a finding is made by an auditor, open' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'closed' OR to_jsonb(NEW) - changing <> to_jsonb(OLD) - changing THEN
        RAISE EXCEPTION 'finding % is closed, or what it says would change', OLD.number USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.state = 'answered' AND OLD.state = 'open' THEN
        IF NOT masar_answers(OLD.answer_role, OLD.answer_branch) OR NEW.lifted_at IS DISTINCT FROM OLD.lifted_at THEN
            RAISE EXCEPTION 'finding % is answered by whom it asks', OLD.number USING ERRCODE = 'insufficient_privilege';
        END IF;
    ELSIF NOT is_auditor OR (NEW.state = 'closed' AND NEW.closed_by IS DISTINCT FROM me)
          OR (NEW.lifted_at IS DISTINCT FROM OLD.lifted_at AND (OLD.lifted_at IS NOT NULL OR NEW.lifted_by IS DISTINCT FROM me)) OR NEW.state = 'answered' AND OLD.state <> 'answered' THEN
        RAISE EXCEPTION 'finding % is returned, lifted and closed by an auditor', OLD.number USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER in_turn BEFORE INSERT OR UPDATE ON finding FOR EACH ROW EXECUTE FUNCTION refuse_finding_out_of_turn();
-- No edition while a finding holds it.
CREATE FUNCTION masar_holding_finding() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT number FROM finding WHERE holds AND state <> 'closed' AND lifted_at IS NULL ORDER BY number LIMIT 1 $$;
CREATE FUNCTION refuse_held_publication() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = 'masar_app' AND masar_holding_finding() IS NOT NULL THEN
        RAISE EXCEPTION 'finding % holds the next publication', masar_holding_finding() USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER not_held BEFORE INSERT ON edition_start FOR EACH ROW EXECUTE FUNCTION refuse_held_publication();

-- ── Row-level security, forced; a journal line in the same transaction ───────────────────────────────────────────────────────────────
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['rule_fired', 'audit_sample', 'finding', 'finding_word'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY of_the_owner ON %I TO CURRENT_USER USING (current_user <> ''masar_app'') WITH CHECK (current_user <> ''masar_app'')', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['audit_sample', 'finding', 'finding_word'] LOOP
        EXECUTE format('CREATE TRIGGER has_its_journal_line BEFORE INSERT OR UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change_without_journal()', t);
    END LOOP;
END $$;
CREATE POLICY of_audit ON rule_fired FOR SELECT TO masar_app USING ((SELECT masar_holds('auditeur')) AND (SELECT true FROM instance i WHERE i.instance_id = rule_fired.instance_id LIMIT 1));
CREATE POLICY of_audit ON audit_sample FOR SELECT TO masar_app USING ((SELECT masar_holds('auditeur')));
CREATE POLICY drawn_by_auditors ON audit_sample FOR INSERT TO masar_app WITH CHECK ((SELECT masar_holds('auditeur')) AND drawn_by = masar_setting('user_id')::uuid);
CREATE POLICY of_audit_or_asked ON finding FOR SELECT TO masar_app USING ((SELECT masar_holds('auditeur')) OR masar_answers(answer_role, answer_branch));
CREATE POLICY made_by_auditors ON finding FOR INSERT TO masar_app WITH CHECK ((SELECT masar_holds('auditeur')));
CREATE POLICY in_turn ON finding FOR UPDATE TO masar_app USING ((SELECT masar_holds('auditeur')) OR masar_answers(answer_role, answer_branch));
CREATE POLICY of_a_finding_in_sight ON finding_word FOR SELECT TO masar_app USING (EXISTS (SELECT FROM finding f WHERE f.finding_id = finding_word.finding_id));
CREATE POLICY said_by_me ON finding_word FOR INSERT TO masar_app WITH CHECK (said_by = masar_setting('user_id')::uuid
    AND EXISTS (SELECT FROM finding f WHERE f.finding_id = finding_word.finding_id
                   AND CASE kind WHEN 'answer' THEN masar_answers(f.answer_role, f.answer_branch) ELSE masar_holds('auditeur') END));
-- The journal's chain is one for all. Whoever a finding asks adds a line without reading those before: she is told where the chain ends, nothing else.
CREATE FUNCTION masar_journal_last() RETURNS TABLE (seq bigint, hash bytea, xid xid8) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT l.seq, l.hash, l.xid FROM journal_line l ORDER BY l.seq DESC LIMIT 1 $$;
CREATE OR REPLACE FUNCTION refuse_gap_in_journal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    said jsonb;
    last record;
BEGIN
    SELECT * INTO last FROM (SELECT true) one LEFT JOIN masar_journal_last() ON true;
    IF NEW.seq <> coalesce(last.seq, 0) + 1 THEN
        RAISE EXCEPTION 'journal line % does not follow the last one', NEW.seq USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.hash <> sha256(convert_to(NEW.line, 'UTF8')) OR NEW.xid <> pg_current_xact_id() THEN
        RAISE EXCEPTION 'journal line % does not have its own hash, or is of another transaction', NEW.seq USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    said := NEW.line::jsonb;
    IF (said ->> 'kind', said #>> '{body,about}', said ->> 'seq', said ->> 'prev') IS DISTINCT FROM (NEW.kind, NEW.about, NEW.seq::text,
            encode(coalesce(last.hash, decode(repeat('00', 32), 'hex')), 'hex'))
       OR (current_user = 'masar_app' AND said #>> '{actor,id}' IS DISTINCT FROM coalesce(masar_setting('user_id'), '')) THEN
        RAISE EXCEPTION 'journal line % says of itself what it is not', NEW.seq USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION masar_is_journalled() RETURNS boolean LANGUAGE sql STABLE AS
    $$ SELECT coalesce((SELECT l.xid = pg_current_xact_id() FROM masar_journal_last() l), false) $$;
CREATE POLICY written_by_audit ON journal_line FOR INSERT TO masar_app WITH CHECK ((SELECT masar_holds('auditeur')) AND (kind LIKE 'finding.%' OR kind = 'sample.drawn')
    OR (kind = 'finding.answered' AND EXISTS (SELECT FROM finding f WHERE journal_line.about = 'finding:' || f.finding_id AND masar_answers(f.answer_role, f.answer_branch))));

GRANT SELECT ON rule_fired TO masar_app;
GRANT SELECT, INSERT ON audit_sample, finding, finding_word TO masar_app;
GRANT UPDATE (state, lifted_by, lifted_at, closed_by, closed_at) ON finding TO masar_app;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO masar_app;
