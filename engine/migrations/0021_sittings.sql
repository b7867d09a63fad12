-- ── Sittings of a committee ──────────────────────────────────────────────────────────────────────────────────────────────
-- Which files a sitting put off for want of a quorum: one answer a file, found without reading every fact.
CREATE INDEX fact_of_quorum ON fact (instance_id) WHERE field = 'aide.quorum_reuni';
-- Whether a member still studies a file of a sitting; asked of the sitting that wrote the opinion.
CREATE FUNCTION masar_is_studied(of_sitting uuid, of_subject text) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM open_task t WHERE t.instance_id = of_sitting AND t.process = 'etude_dossier' AND t.subjects ? of_subject);
END $$;
REVOKE EXECUTE ON FUNCTION masar_is_studied(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_is_studied(uuid, text) TO masar_app;
-- What a member thinks of a file before the sitting is hers alone until every member has said it: nobody votes after another.
CREATE POLICY opinions_are_sealed ON fact AS RESTRICTIVE FOR SELECT TO masar_app USING (
    (field !~ '^aide\.(prevote|question|conflit)_') OR masar_is_system() OR author_id = masar_setting('user_id')::uuid OR NOT masar_is_studied(instance_id, subject));

-- ── Money ────────────────────────────────────────────────────────────────────────────────────────────────────────────────
-- Every dinar that moves in a fund, with the dossier and the ledger line that moved it. A fund is the sum of its movements: the doctor adds them up.
-- `brought`: what a fund had committed and paid before movements were kept.
CREATE TABLE fund_movement (
    movement_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, programme text NOT NULL REFERENCES fund,
    kind text NOT NULL CHECK (kind IN ('committed', 'paid', 'advanced', 'released', 'recovered', 'brought_committed', 'brought_paid')), amount_millimes bigint NOT NULL CHECK (amount_millimes > 0),
    aid_id uuid, instance_id uuid, seq bigint, moved_at timestamptz NOT NULL, CHECK ((aid_id IS NULL) = (kind LIKE 'brought%'))
);
CREATE INDEX fund_movement_of_aid ON fund_movement (aid_id);
CREATE INDEX fund_movement_of_instance ON fund_movement (instance_id);
CREATE INDEX fund_movement_of_programme ON fund_movement (programme, movement_id);
INSERT INTO fund_movement (programme, kind, amount_millimes, moved_at) SELECT programme, 'brought_committed', engaged_millimes, now() FROM fund WHERE engaged_millimes > 0;
INSERT INTO fund_movement (programme, kind, amount_millimes, moved_at) SELECT programme, 'brought_paid', paid_millimes, now() FROM fund WHERE paid_millimes > 0;
ALTER TABLE fund ADD COLUMN recovered_millimes bigint NOT NULL DEFAULT 0;
ALTER TABLE fund_movement ENABLE ROW LEVEL SECURITY;
ALTER TABLE fund_movement FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_owner ON fund_movement TO CURRENT_USER USING (current_user <> 'masar_app') WITH CHECK (current_user <> 'masar_app');
CREATE POLICY of_a_case_in_reach ON fund_movement FOR SELECT TO masar_app
    USING (masar_is_system() OR instance_id IS NULL OR (NOT masar_is_partner() AND (SELECT true FROM instance i WHERE i.instance_id = fund_movement.instance_id LIMIT 1)));
CREATE POLICY moved_by_a_case_in_reach ON fund_movement FOR INSERT TO masar_app
    WITH CHECK (masar_may_write() AND (SELECT true FROM instance i WHERE i.instance_id = fund_movement.instance_id LIMIT 1));
GRANT SELECT, INSERT ON fund_movement TO masar_app;
-- What came back was paid once: it is counted in what is available and in what is recovered, so it leaves the total as it was.
CREATE OR REPLACE FUNCTION refuse_fund_without_journal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE was bigint := CASE TG_OP WHEN 'UPDATE' THEN OLD.available_millimes + OLD.engaged_millimes + OLD.paid_millimes - OLD.recovered_millimes ELSE 0 END;
BEGIN
    IF current_user = 'masar_app' AND (TG_OP = 'INSERT' OR NEW.available_millimes + NEW.engaged_millimes + NEW.paid_millimes - NEW.recovered_millimes <> was)
       AND NOT (masar_holds('administrateur') AND masar_is_journalled()) THEN
        RAISE EXCEPTION 'what the fund of % holds in all has no journal line in this transaction', NEW.programme USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
-- Where an aid stands in its programme's waiting list, and how many wait: nothing of anybody else.
CREATE FUNCTION masar_place_in_line(of_aid uuid) RETURNS TABLE (place bigint, waiting bigint) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT l.place, l.waiting FROM (
        SELECT w.aid_id, row_number() OVER (ORDER BY w.class DESC, w.asked_on, w.arrival) AS place, count(*) OVER () AS waiting
          FROM fund_waiting w JOIN instance i ON i.instance_id = w.instance_id AND i.status = 'open'
         WHERE w.programme = (SELECT m.programme FROM fund_waiting m WHERE m.aid_id = of_aid)) l WHERE l.aid_id = of_aid;
END $$;
REVOKE EXECUTE ON FUNCTION masar_place_in_line(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_place_in_line(uuid) TO masar_app;
