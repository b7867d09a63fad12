-- Persons: found however their names are spelled, told apart or made one by people.
-- Tokens of skeletons (beneficiaries.py) for whoever was known before: single words, and every two of them. Of names without a birth they come when they are said again.
INSERT INTO person_token (person_id, kind, token)
SELECT DISTINCT t.person_id, 'bone', w FROM person_token t, unnest(string_to_array(split_part(t.token, '|', 1), ' ')) w WHERE t.kind = 'namebirth' AND w <> '' ON CONFLICT DO NOTHING;
INSERT INTO person_token (person_id, kind, token)
SELECT DISTINCT t.person_id, 'pair', a || ' ' || b
  FROM (SELECT person_id, string_to_array(split_part(token, '|', 1), ' ') AS words FROM person_token WHERE kind = 'namebirth') t, unnest(words) a, unnest(words) b
 WHERE a COLLATE "C" < b COLLATE "C" AND (cardinality(words) <= 2 OR 'bn' NOT IN (a, b)) ON CONFLICT DO NOTHING;
-- A list of persons looks the cases of many facts up: one by one, never all cases at once (see 0001 on EXISTS).
ALTER POLICY class_and_case ON fact USING (
    masar_is_system() OR (masar_sees_class(class) AND (
        SELECT true FROM instance i WHERE i.instance_id = fact.root_id AND masar_shared_with_me(i.is_shared, fact.author_agency)
           AND (fact.class <> 'H' OR i.social_worker_id = masar_setting('user_id')::uuid) LIMIT 1)));

-- What was said of a person holds in each of her cases, in whichever branch she comes again: whoever reaches one of them reads it, with that case's consent. Health stays.
CREATE POLICY of_a_person_in_reach ON fact FOR SELECT TO masar_app USING (
    split_part(subject, ':', 1) IN ('person', 'membre') AND class <> 'H' AND masar_sees_class(class) AND NOT masar_is_partner() AND (
        SELECT true FROM instance i WHERE i.person_id = fact.person_id AND i.root_id = i.instance_id AND i.process = 'parcours'
           AND masar_shared_with_me(i.is_shared, fact.author_agency) LIMIT 1));
-- What is taken up from a person's earlier case (source `case`) keeps its class, whoever takes it up, as from a signal.
ALTER POLICY class_and_case_written ON fact WITH CHECK (
    masar_may_write() AND (masar_writes_class(class) OR source ->> 'kind' IN ('system', 'signal', 'case')) AND (
        (SELECT true FROM instance i WHERE i.instance_id = fact.root_id LIMIT 1)
        OR (SELECT true FROM instance i WHERE i.instance_id = fact.instance_id AND i.subject LIKE 'seance:%' AND i.scope -> 'aide' ? split_part(fact.subject, ':', 2) LIMIT 1)));
-- One open case each.
CREATE UNIQUE INDEX instance_one_open_case ON instance (person_id) WHERE status = 'open' AND process = 'parcours' AND root_id = instance_id;

-- Two persons that somebody looked at side by side and told apart; why is sealed in the line `seq` of `instance_id`.
CREATE TABLE told_apart (
    one uuid NOT NULL REFERENCES person, other uuid NOT NULL REFERENCES person, decided_by uuid NOT NULL REFERENCES user_account, decided_at timestamptz NOT NULL,
    instance_id uuid NOT NULL REFERENCES instance, seq bigint NOT NULL, PRIMARY KEY (one, other), CHECK (one < other)
);
CREATE INDEX told_apart_other ON told_apart (other);
CREATE TRIGGER has_its_line AFTER INSERT OR UPDATE OR DELETE ON told_apart FOR EACH ROW EXECUTE FUNCTION refuse_change_without_line();
-- Two persons made one: proposed by one, done by another. `content`: the fields taken from whoever goes, and where each of her instances stood just after.
CREATE TABLE merger (
    merger_id uuid PRIMARY KEY, kept uuid NOT NULL REFERENCES person, gone uuid NOT NULL REFERENCES person, instance_id uuid NOT NULL REFERENCES instance,
    other_id uuid NOT NULL REFERENCES instance, seq bigint NOT NULL, content jsonb NOT NULL, proposed_by uuid NOT NULL REFERENCES user_account, proposed_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'done', 'refused', 'undone')), decided_by uuid REFERENCES user_account, decided_at timestamptz,
    undone_by uuid REFERENCES user_account, undone_at timestamptz, xid xid8, CHECK (kept <> gone)
);
CREATE UNIQUE INDEX merger_open ON merger (least(kept, gone), greatest(kept, gone)) WHERE state = 'proposed';
CREATE INDEX merger_by_kept ON merger (kept);
CREATE INDEX merger_by_gone ON merger (gone);
CREATE TRIGGER has_its_line AFTER INSERT OR UPDATE OR DELETE ON merger FOR EACH ROW EXECUTE FUNCTION refuse_change_without_line();
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['told_apart', 'merger'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY of_the_owner ON %I TO CURRENT_USER USING (current_user <> ''masar_app'') WITH CHECK (current_user <> ''masar_app'')', t);
        EXECUTE format('CREATE POLICY of_a_case_in_reach ON %I FOR SELECT TO masar_app
            USING (NOT masar_is_partner() AND (SELECT true FROM instance i WHERE i.instance_id = %I.instance_id LIMIT 1))', t, t);
    END LOOP;
END $$;
CREATE POLICY decided_by_me ON told_apart FOR INSERT TO masar_app WITH CHECK (
    masar_may_write() AND decided_by = masar_setting('user_id')::uuid AND (SELECT masar_holds('agent_accueil', 'referent', 'chef_antenne', 'coordinateur'))
    AND (SELECT true FROM instance i WHERE i.instance_id = told_apart.instance_id LIMIT 1));
CREATE POLICY proposed_by_me ON merger FOR INSERT TO masar_app WITH CHECK (
    masar_may_write() AND state = 'proposed' AND proposed_by = masar_setting('user_id')::uuid AND (SELECT masar_holds('agent_accueil', 'referent', 'chef_antenne', 'coordinateur'))
    AND (SELECT true FROM instance i WHERE i.instance_id = merger.instance_id AND i.person_id = kept LIMIT 1)
    AND (SELECT true FROM instance i WHERE i.instance_id = merger.other_id AND i.person_id = gone LIMIT 1));
CREATE POLICY decided_in_reach ON merger FOR UPDATE TO masar_app USING (
    masar_may_write() AND (SELECT masar_holds('chef_antenne', 'coordinateur')) AND (SELECT true FROM instance i WHERE i.instance_id = merger.instance_id LIMIT 1)
    AND (SELECT true FROM instance i WHERE i.instance_id = merger.other_id LIMIT 1));
CREATE FUNCTION refuse_own_merger() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE me uuid := public.masar_setting('user_id')::uuid;
BEGIN
    IF current_user <> 'masar_app' THEN
        RETURN NEW;
    END IF;
    IF (NEW.kept, NEW.gone, NEW.instance_id, NEW.other_id, NEW.seq, NEW.proposed_by) IS DISTINCT FROM (OLD.kept, OLD.gone, OLD.instance_id, OLD.other_id, OLD.seq, OLD.proposed_by)
       OR NOT ((OLD.state = 'proposed' AND NEW.state = 'refused' AND NEW.decided_by = me)
               OR (OLD.state = 'proposed' AND NEW.state = 'done' AND NEW.decided_by = me AND OLD.proposed_by <> me AND NEW.xid = pg_current_xact_id())
               OR (OLD.state = 'done' AND NEW.state = 'undone' AND NEW.undone_by = me AND NEW.xid = pg_current_xact_id() AND NEW.content = OLD.content)) THEN
        RAISE EXCEPTION 'merger % is done by somebody who did not propose it, once', OLD.merger_id USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER by_two BEFORE UPDATE ON merger FOR EACH ROW EXECUTE FUNCTION refuse_own_merger();

-- Whom a person was told apart from, and who was made one with her, in whichever branch.
CREATE FUNCTION masar_told_apart(of_person uuid) RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT other FROM told_apart WHERE one = of_person UNION ALL SELECT one FROM told_apart WHERE other = of_person $$;
CREATE FUNCTION masar_merged_into(of_person uuid) RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ WITH RECURSIVE those AS (SELECT person_id FROM person WHERE merged_into = of_person UNION SELECT p.person_id FROM person p JOIN those t ON p.merged_into = t.person_id)
       SELECT person_id FROM those $$;
-- All instances of a person, in whichever branch: whoever makes two persons one must reach them all.
CREATE FUNCTION masar_parts_of_person(of_person uuid) RETURNS TABLE (instance_id uuid, edition integer) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT i.instance_id, e.number FROM instance i JOIN edition e USING (edition_id) WHERE i.person_id = of_person ORDER BY 1 $$;
-- Whether somebody is to be forgotten, or was: what is then destroyed must not be another's, and what is new is not what came back of her.
CREATE FUNCTION masar_is_forgotten(persons uuid[]) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT EXISTS (SELECT FROM erasure e WHERE e.person_id = ANY (persons) AND e.state IN ('proposed', 'done')) $$;
-- The rows of a merger that another has just agreed to; lines tell of it in each instance already. What was said of whoever goes stays as it is, under her own subject.
CREATE FUNCTION masar_merge(of_merger uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE m merger;
BEGIN
    SELECT * INTO m FROM merger WHERE merger_id = of_merger AND state = 'done' AND xid = pg_current_xact_id();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'nobody agreed to make these two persons one' USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- Two mergers of one person at once, or an erasure meanwhile: each waits for the other here, and looks again.
    PERFORM 1 FROM person WHERE person_id IN (m.kept, m.gone) ORDER BY person_id FOR UPDATE;
    IF EXISTS (SELECT FROM person WHERE person_id IN (m.kept, m.gone) AND merged_into IS NOT NULL) OR masar_is_forgotten(ARRAY[m.kept, m.gone]) THEN
        RAISE EXCEPTION 'one of these two persons was made one with another meanwhile, or is to be forgotten' USING ERRCODE = 'serialization_failure';
    END IF;
    UPDATE person SET merged_into = m.kept WHERE person_id = m.gone;
    UPDATE fact SET person_id = m.kept WHERE person_id = m.gone AND subject <> 'person:' || m.gone;
    UPDATE instance SET person_id = m.kept WHERE person_id = m.gone;
    INSERT INTO person_token (person_id, kind, token) SELECT m.kept, kind, token FROM person_token WHERE person_id = m.gone ON CONFLICT DO NOTHING;
    DELETE FROM person_token WHERE person_id = m.gone;
END $$;
CREATE FUNCTION masar_part(of_merger uuid, of_line bigint, parts uuid[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE m merger; undone record;
BEGIN
    SELECT * INTO m FROM merger WHERE merger_id = of_merger AND state = 'undone' AND xid = pg_current_xact_id();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'nobody asked to part these two persons' USING ERRCODE = 'insufficient_privilege';
    END IF;
    FOR undone IN DELETE FROM fact WHERE instance_id = m.instance_id AND seq = of_line AND subject = 'person:' || m.kept RETURNING subject, field LOOP
        UPDATE fact SET is_current = true WHERE fact_id = (SELECT max(fact_id) FROM fact f WHERE f.subject = undone.subject AND f.field = undone.field);
    END LOOP;
    UPDATE person SET merged_into = NULL WHERE person_id = m.gone;
    UPDATE instance SET person_id = m.gone WHERE instance_id = ANY (parts) AND person_id = m.kept;
    UPDATE fact SET person_id = m.gone WHERE root_id = ANY (parts) AND person_id = m.kept;
    UPDATE fact SET person_id = m.gone WHERE subject = 'person:' || m.gone;
    DELETE FROM person_token WHERE person_id IN (m.kept, m.gone);
END $$;
GRANT SELECT, INSERT ON told_apart, merger TO masar_app;
GRANT UPDATE (state, decided_by, decided_at, undone_by, undone_at, xid, content) ON merger TO masar_app;
REVOKE EXECUTE ON FUNCTION refuse_own_merger(), masar_told_apart(uuid), masar_merged_into(uuid), masar_parts_of_person(uuid), masar_is_forgotten(uuid[]), masar_merge(uuid), masar_part(uuid, bigint, uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION refuse_own_merger(), masar_told_apart(uuid), masar_merged_into(uuid), masar_parts_of_person(uuid), masar_is_forgotten(uuid[]), masar_merge(uuid), masar_part(uuid, bigint, uuid[]) TO masar_app;

-- Somebody comes a second time: whose her closed case is, and what it knew of these fields (names parted by spaces). For whoever was told of it as a double, in any branch.
CREATE FUNCTION masar_returning(of_case uuid, of_fields text) RETURNS TABLE (person_id uuid, number text, running text, facts jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT i.person_id, i.number, (SELECT o.number FROM instance o WHERE o.person_id = i.person_id AND o.process = 'parcours' AND o.root_id = o.instance_id AND o.status = 'open' LIMIT 1),
              (SELECT jsonb_agg(jsonb_build_object('field', f.field, 'value', f.value, 'class', f.class, 'valid_until', f.valid_until)) FROM fact f
                WHERE f.root_id = of_case AND f.subject = 'case:' || of_case AND f.is_current AND f.status = 'known' AND f.field = ANY (string_to_array(of_fields, ' ')))
         FROM instance i WHERE i.instance_id = of_case AND i.root_id = i.instance_id AND i.process = 'parcours' AND i.status = 'ended' AND i.person_id IS NOT NULL AND masar_may_write()
            AND NOT EXISTS (SELECT FROM erasure e WHERE e.person_id = i.person_id AND e.state = 'done' AND e.kept IS NULL) $$;  -- forgotten whole: her key is gone
REVOKE EXECUTE ON FUNCTION masar_returning(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_returning(uuid, text) TO masar_app;

-- Lines of charters' sheets that were taken, by what only Masar's key makes of them: one that is sent again is not taken twice. They go with their signal.
CREATE TABLE charter_line (digest bytea PRIMARY KEY, instance_id uuid NOT NULL REFERENCES instance, entered_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX charter_line_by_instance ON charter_line (instance_id);
ALTER TABLE charter_line ENABLE ROW LEVEL SECURITY;
ALTER TABLE charter_line FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_owner ON charter_line TO CURRENT_USER USING (current_user <> 'masar_app') WITH CHECK (current_user <> 'masar_app');
CREATE POLICY of_a_signal_in_reach ON charter_line FOR SELECT TO masar_app USING ((SELECT true FROM instance i WHERE i.instance_id = charter_line.instance_id LIMIT 1));
CREATE POLICY taken ON charter_line FOR INSERT TO masar_app WITH CHECK (masar_may_write() AND (SELECT true FROM instance i WHERE i.instance_id = charter_line.instance_id LIMIT 1));
CREATE POLICY left_again ON charter_line FOR DELETE TO masar_app USING (masar_may_write() AND (SELECT true FROM instance i WHERE i.instance_id = charter_line.instance_id LIMIT 1));
GRANT SELECT, INSERT, DELETE ON charter_line TO masar_app;
CREATE OR REPLACE FUNCTION masar_forget_signal(of_root uuid) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE whose uuid;
BEGIN
    SELECT person_id INTO whose FROM instance WHERE instance_id = of_root AND process = 'signalement' AND masar_is_system();
    IF NOT FOUND OR EXISTS (SELECT FROM instance WHERE person_id = whose AND root_id <> of_root) THEN
        RETURN false;
    END IF;
    DELETE FROM fact WHERE root_id = of_root;
    DELETE FROM person_token WHERE person_id = whose;
    DELETE FROM draft USING open_task t WHERE t.task_id = draft.task_id AND t.root_id = of_root;
    DELETE FROM charter_line WHERE instance_id = of_root;
    RETURN true;
END $$;
