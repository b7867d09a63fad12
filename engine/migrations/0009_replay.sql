-- What an instance was at some of its instants, unfolded from its ledger and kept so that a long history opens as lightly as a short one. Derived: emptied at any time,
-- it is made again. Sealed under the person's key, so that it goes with it. `marks`: which of the lines since the one kept before are worth a halt, as `[[seq, kinds…], …]`;
-- `kinds`: all of theirs, for looking ahead and back.
CREATE TABLE replay_snapshot (
    instance_id uuid NOT NULL REFERENCES instance, seq bigint NOT NULL, marks jsonb NOT NULL DEFAULT '[]', kinds text[] NOT NULL DEFAULT '{}',
    person_id uuid, ciphertext bytea NOT NULL, PRIMARY KEY (instance_id, seq)
);
-- Which histories grew since: written once in so many lines, by the line itself, taken up by a job.
CREATE TABLE replay_due (instance_id uuid PRIMARY KEY);
CREATE FUNCTION replay_falls_due() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO replay_due (instance_id) VALUES (NEW.instance_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER replay_due AFTER INSERT ON ledger_line FOR EACH ROW WHEN (NEW.seq % 16 = 0) EXECUTE FUNCTION replay_falls_due();

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['replay_snapshot', 'replay_due'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY of_the_owner ON %I TO CURRENT_USER USING (current_user <> ''masar_app'') WITH CHECK (current_user <> ''masar_app'')', t);
    END LOOP;
END $$;
CREATE POLICY of_a_case_in_reach ON replay_snapshot FOR SELECT TO masar_app
    USING (NOT masar_is_partner() AND (SELECT true FROM instance i WHERE i.instance_id = replay_snapshot.instance_id LIMIT 1));
CREATE POLICY kept_by_a_job ON replay_snapshot FOR INSERT TO masar_app WITH CHECK (masar_is_system() AND masar_may_write());
CREATE POLICY dropped_by_a_job ON replay_snapshot FOR DELETE TO masar_app USING (masar_is_system() AND masar_may_write());
CREATE POLICY of_a_job ON replay_due FOR ALL TO masar_app USING (masar_is_system()) WITH CHECK (masar_is_system());
GRANT SELECT, INSERT, DELETE ON replay_snapshot, replay_due TO masar_app;
INSERT INTO replay_due SELECT instance_id FROM instance WHERE seq >= 16;

-- The last line of an instance at an instant: found by halves, since lines follow one another in time.
CREATE FUNCTION masar_line_at(of_instance uuid, of_at timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE low bigint := 0; high bigint := (SELECT max(seq) FROM ledger_line WHERE instance_id = of_instance); middle bigint;
BEGIN
    WHILE low < high LOOP
        middle := (low + high + 1) / 2;
        IF (SELECT (line::jsonb ->> 'occurred_at')::timestamptz FROM ledger_line WHERE instance_id = of_instance AND seq = middle) <= of_at THEN
            low := middle;
        ELSE
            high := middle - 1;
        END IF;
    END LOOP;
    RETURN low;
END $$;

-- Of each fact of a case, where it had been said last at an instant (of the instance itself by its line, of others by the hour), never what it said: that is in the line,
-- for whoever may read it. `replaced_at`: when another took its place since.
CREATE FUNCTION masar_facts_at(of_root uuid, of_person uuid, of_subjects text[], of_instance uuid, of_seq bigint, of_at timestamptz)
    RETURNS TABLE (subject text, field text, class text, source text, author_id uuid, author_name text, author_agency text, recorded_at timestamptz,
                   valid_until timestamptz, instance_id uuid, seq bigint, replaced_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM instance i WHERE i.instance_id = of_root AND masar_reaches(i.branch, i.root_id, i.subject)) THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT k.subject, k.field, f.class, f.source ->> 'kind', f.author_id, f.author_name, f.author_agency, f.recorded_at, f.valid_until, f.instance_id, f.seq,
           least((SELECT l.recorded_at FROM fact l WHERE l.subject = k.subject AND l.field = k.field AND l.is_current AND l.fact_id > f.fact_id),
                 (SELECT l.recorded_at FROM fact l WHERE l.subject = k.subject AND l.field = k.field AND NOT l.is_current AND l.recorded_at >= f.recorded_at
                     AND l.fact_id > f.fact_id ORDER BY l.recorded_at, l.fact_id LIMIT 1))
      FROM (SELECT own.subject, own.field FROM fact own WHERE own.root_id = of_root AND own.is_current
            UNION
            SELECT about.subject, about.field FROM fact about WHERE about.subject = ANY (of_subjects) AND about.is_current
            UNION
            SELECT hers.subject, hers.field FROM fact hers WHERE hers.person_id = of_person AND hers.is_current
               AND (hers.subject LIKE 'person:%' OR hers.subject LIKE 'membre:%')) k
     CROSS JOIN LATERAL (
            SELECT * FROM (
                (SELECT c.* FROM fact c WHERE c.subject = k.subject AND c.field = k.field AND c.is_current AND c.recorded_at <= of_at
                    AND NOT (c.instance_id = of_instance AND c.seq > of_seq))
                UNION ALL
                (SELECT r.* FROM fact r WHERE r.subject = k.subject AND r.field = k.field AND NOT r.is_current AND r.recorded_at <= of_at
                    AND NOT (r.instance_id = of_instance AND r.seq > of_seq) ORDER BY r.recorded_at DESC, r.fact_id DESC LIMIT 1)) o
             ORDER BY o.recorded_at DESC, o.fact_id DESC LIMIT 1) f
     ORDER BY f.fact_id;
END $$;
-- In place of the one that holds the subject alone.
DROP INDEX fact_replaced_of_subject;
CREATE INDEX fact_replaced_of_subject ON fact (subject, field, recorded_at, fact_id) WHERE NOT is_current;
REVOKE EXECUTE ON FUNCTION masar_facts_at, masar_line_at, replay_falls_due() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_facts_at, masar_line_at TO masar_app;
