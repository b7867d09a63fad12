-- The log: every line of every chain in the order it was sealed in, under one tree (RFC 6962) whose root is signed at each sealing.
-- An entry's leaf is SHA-256(00 ‖ instance ‖ seq ‖ hash of the line); the journal of administration is instance 0.
CREATE TABLE log_entry (
    log_index bigint PRIMARY KEY, instance_id uuid NOT NULL, seq bigint NOT NULL, hash bytea NOT NULL CHECK (length(hash) = 32), UNIQUE (instance_id, seq)
);
-- Complete tiles: 256 hashes of a row of the tree (row 0: leaves; row 1: roots of tiles of row 0; …) and their root.
CREATE TABLE log_tile (
    tile_row smallint NOT NULL, place bigint NOT NULL, root bytea NOT NULL CHECK (length(root) = 32), hashes bytea NOT NULL CHECK (length(hashes) = 8192),
    PRIMARY KEY (tile_row, place)
);
ALTER TABLE log_tile ALTER COLUMN hashes SET STORAGE EXTERNAL;  -- hashes do not compress
-- What was signed: a C2SP checkpoint, as a signed note.
CREATE TABLE log_checkpoint (size bigint PRIMARY KEY CHECK (size > 0), root bytea NOT NULL CHECK (length(root) = 32), note text NOT NULL, sealed_at timestamptz NOT NULL DEFAULT now());
-- Whose word on a checkpoint is kept: one witness an agency. Changing who is one is done at a terminal, with a line in the journal.
CREATE TABLE log_witness (name text PRIMARY KEY, key text NOT NULL UNIQUE, agency text NOT NULL REFERENCES agency, named_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE log_cosignature (
    size bigint NOT NULL REFERENCES log_checkpoint, witness text NOT NULL REFERENCES log_witness, line text NOT NULL, received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (size, witness)
);

-- What is sealed stays: nobody changes it by mistake. (Whoever may drop this trigger is whom the witnesses are for.)
CREATE FUNCTION refuse_other_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what stands in % stays as it is', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['log_entry', 'log_tile', 'log_checkpoint', 'log_cosignature', 'log_witness'] LOOP
        EXECUTE format('CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_other_log()', t);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY of_the_owner ON %I TO CURRENT_USER USING (current_user <> ''masar_app'') WITH CHECK (current_user <> ''masar_app'')', t);
    END LOOP;
    -- Hashes and signatures are for everybody; which case an entry is of, for who reaches the case.
    FOREACH t IN ARRAY ARRAY['log_tile', 'log_checkpoint', 'log_cosignature', 'log_witness'] LOOP
        EXECUTE format('CREATE POLICY whoever_acts ON %I FOR SELECT TO masar_app USING (masar_setting(''reach'') IS NOT NULL)', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['log_entry', 'log_tile', 'log_checkpoint'] LOOP
        EXECUTE format('CREATE POLICY sealed_by_the_system ON %I FOR INSERT TO masar_app WITH CHECK (masar_is_system() AND masar_may_write())', t);
    END LOOP;
END $$;
CREATE POLICY of_a_case_in_reach ON log_entry FOR SELECT TO masar_app
    USING (masar_is_system() OR (SELECT true FROM instance i WHERE i.instance_id = log_entry.instance_id LIMIT 1));
-- The log's own lines in the journal: which key signs from now on.
CREATE POLICY written_by_the_sealer ON journal_line FOR INSERT TO masar_app WITH CHECK (masar_is_system() AND masar_may_write() AND starts_with(kind, 'log.'));

-- Entries follow the last one without a gap, and are lines that are there.
CREATE FUNCTION refuse_wrong_entries() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    IF (SELECT (min(log_index), max(log_index) - min(log_index) + 1) IS DISTINCT FROM (coalesce((SELECT max(size) FROM log_checkpoint), 0), count(*)) FROM sealed) THEN
        RAISE EXCEPTION 'entries do not follow the last checkpoint' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (SELECT FROM sealed s LEFT JOIN ledger_line l USING (instance_id, seq)
                LEFT JOIN journal_line j ON s.instance_id = '00000000-0000-0000-0000-000000000000' AND j.seq = s.seq
                WHERE s.hash IS DISTINCT FROM coalesce(l.hash, j.hash)) THEN
        RAISE EXCEPTION 'an entry is no line of the ledger' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER are_lines AFTER INSERT ON log_entry REFERENCING NEW TABLE AS sealed FOR EACH STATEMENT EXECUTE FUNCTION refuse_wrong_entries();
CREATE FUNCTION refuse_wrong_checkpoint() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.size <> (SELECT max(log_index) + 1 FROM log_entry) THEN
        RAISE EXCEPTION 'a checkpoint of % is not of the whole log', NEW.size USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER of_the_whole_log AFTER INSERT ON log_checkpoint FOR EACH ROW EXECUTE FUNCTION refuse_wrong_checkpoint();

-- ── Named openings ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
-- Committed lines that no entry stands for yet, chain after chain. A transaction that commits late is found when it has: of each chain is asked how far it was
-- sealed, never a number that transactions drew before they committed. By index: what the planner knows of the log is a slice old.
CREATE FUNCTION masar_log_unsealed(most integer) RETURNS TABLE (instance_id uuid, seq bigint, hash bytea) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    SET enable_seqscan = off AS
    $$ WITH chain AS MATERIALIZED (
           SELECT i.instance_id, i.seq AS last, coalesce((SELECT e.seq FROM log_entry e WHERE e.instance_id = i.instance_id ORDER BY e.seq DESC LIMIT 1), 0) AS sealed
             FROM instance i WHERE masar_is_system()),
       grown AS (SELECT c.*, sum(c.last - c.sealed) OVER (ORDER BY c.instance_id) - (c.last - c.sealed) AS before FROM chain c WHERE c.last > c.sealed)
       SELECT l.instance_id, l.seq, l.hash FROM grown c JOIN ledger_line l ON l.instance_id = c.instance_id AND l.seq > c.sealed
        WHERE c.before < most  -- the first chains with so many lines between them: to sort all there are for each checkpoint took most of the time
       UNION ALL
       SELECT '00000000-0000-0000-0000-000000000000', j.seq, j.hash FROM journal_line j
        WHERE masar_is_system() AND j.seq > coalesce((SELECT max(e.seq) FROM log_entry e WHERE e.instance_id = '00000000-0000-0000-0000-000000000000'), 0)
       ORDER BY 1, 2 LIMIT most $$;
-- Leaf hashes of the log, at most a tile of them: they tell nothing of what they stand for.
CREATE FUNCTION masar_log_leaves(first bigint, past bigint) RETURNS TABLE (leaf bytea) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT sha256('\x00'::bytea || uuid_send(e.instance_id) || int8send(e.seq) || e.hash) FROM log_entry e
        WHERE e.log_index >= first AND e.log_index < least(past, first + 256) ORDER BY e.log_index $$;
-- The keys of the log as its own journal tells them, the oldest first: the lines say nothing else.
CREATE FUNCTION masar_log_keys() RETURNS TABLE (seq bigint, line text) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT j.seq, j.line FROM journal_line j WHERE j.kind IN ('log.key_made', 'log.key_rotated') ORDER BY j.seq $$;
-- A witness's word on a checkpoint; it is its signature that says whose it is (the application looked at it before).
CREATE FUNCTION masar_log_cosign(of_size bigint, of_witness text, of_line text) RETURNS boolean LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ INSERT INTO log_cosignature (size, witness, line) SELECT c.size, w.name, of_line FROM log_checkpoint c, log_witness w WHERE c.size = of_size AND w.name = of_witness
       ON CONFLICT DO NOTHING RETURNING true $$;
-- The entry that a paper's code stands for: the line that wrote the latest letter of that code. Its holder has no account.
CREATE FUNCTION masar_log_receipt(of_code text) RETURNS TABLE (instance_id uuid, seq bigint, line text, hash bytea, person_id uuid, ciphertext bytea, log_index bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT l.instance_id, l.seq, l.line, l.hash, s.person_id, s.ciphertext, e.log_index
         FROM letter p JOIN ledger_line l ON l.instance_id = p.instance_id AND l.kind = 'operation.done' AND l.line::jsonb #>> '{body,letter}' = p.letter_id::text
         LEFT JOIN ledger_sealed s ON s.instance_id = l.instance_id AND s.seq = l.seq
         LEFT JOIN log_entry e ON e.instance_id = l.instance_id AND e.seq = l.seq
        WHERE p.code = of_code ORDER BY p.produced_at DESC, l.seq DESC LIMIT 1 $$;

GRANT SELECT, INSERT ON log_entry, log_tile, log_checkpoint TO masar_app;
GRANT SELECT ON log_cosignature, log_witness TO masar_app;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO masar_app;
