-- Appointments (casework.appointments), the private address of an agenda (casework.agendas), and what a receipt's second secret opens (casework.holders).

-- One person, one place at a time: two spans of one holder never overlap. A range of one id compares ids by the index that ranges have of their own, so that no extension is asked for.
CREATE TYPE one_id AS RANGE (subtype = uuid);
CREATE TABLE appointment (
    appointment_id uuid PRIMARY KEY, instance_id uuid NOT NULL REFERENCES instance, task_id uuid, agent_id uuid NOT NULL REFERENCES user_account,
    agency text NOT NULL, branch text NOT NULL REFERENCES branch, during tstzrange NOT NULL CHECK (NOT isempty(during) AND lower_inc(during) AND NOT upper_inc(during)),
    place text NOT NULL CHECK (place IN ('antenne', 'unite_sociale', 'bureau_emploi', 'domicile', 'telephone', 'partenaire')),
    state text NOT NULL DEFAULT 'set' CHECK (state IN ('set', 'cancelled', 'attended', 'missed', 'not_held')),
    cause text NOT NULL DEFAULT '' CHECK (cause IN ('', 'personne', 'agent', 'fermeture')),
    changes integer NOT NULL DEFAULT 0, letter_id uuid, made_by uuid NOT NULL, made_at timestamptz NOT NULL, changed_at timestamptz NOT NULL,
    CONSTRAINT appointment_agent_is_free EXCLUDE USING gist (one_id(agent_id, agent_id, '[]') WITH &&, during WITH &&) WHERE (state IN ('set', 'attended')),
    CONSTRAINT appointment_person_is_free EXCLUDE USING gist (one_id(instance_id, instance_id, '[]') WITH &&, during WITH &&) WHERE (state IN ('set', 'attended'))
);
CREATE INDEX appointment_by_branch ON appointment (branch, lower(during));
CREATE INDEX appointment_by_agent ON appointment (agent_id, lower(during));
CREATE INDEX appointment_by_instance ON appointment (instance_id, lower(during));
CREATE TRIGGER has_its_line AFTER INSERT OR UPDATE OR DELETE ON appointment FOR EACH ROW EXECUTE FUNCTION refuse_change_without_line();

-- The address of an agenda is known by its digest alone; a new one takes the place of the former.
CREATE TABLE calendar_feed (user_id uuid PRIMARY KEY REFERENCES user_account, secret_digest bytea NOT NULL UNIQUE, made_at timestamptz NOT NULL);

-- The second secret of a receipt, given in person; `failures`: wrong ones since. Whoever typed it right has a short while.
CREATE TABLE receipt_secret (
    instance_id uuid PRIMARY KEY REFERENCES instance, secret_hash text NOT NULL, given_by uuid NOT NULL, given_at timestamptz NOT NULL, failures integer NOT NULL DEFAULT 0
);
CREATE TRIGGER has_its_line AFTER INSERT ON receipt_secret FOR EACH ROW EXECUTE FUNCTION refuse_change_without_line();
CREATE TABLE receipt_session (token_digest bytea PRIMARY KEY, instance_id uuid NOT NULL REFERENCES instance, expires_at timestamptz NOT NULL);
-- What she sent by it: a document of her case, under the code of the paper that it is.
CREATE TABLE received_piece (document_id uuid PRIMARY KEY REFERENCES document ON DELETE CASCADE, instance_id uuid NOT NULL REFERENCES instance, piece text NOT NULL, received_at timestamptz NOT NULL);
CREATE INDEX received_piece_by_instance ON received_piece (instance_id, received_at);
CREATE TRIGGER has_its_line AFTER INSERT ON received_piece FOR EACH ROW EXECUTE FUNCTION refuse_change_without_line();

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['appointment', 'calendar_feed', 'receipt_secret', 'receipt_session', 'received_piece'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY of_the_owner ON %I TO CURRENT_USER USING (current_user <> ''masar_app'') WITH CHECK (current_user <> ''masar_app'')', t);
    END LOOP;
END $$;
-- Of a case in reach; one's own too, where the case went to another branch meanwhile: she is expected there all the same.
CREATE POLICY of_a_case_in_reach ON appointment FOR SELECT TO masar_app USING (
    (agent_id = masar_setting('user_id')::uuid AND NOT masar_is_partner()) OR (SELECT true FROM instance i WHERE i.instance_id = appointment.instance_id LIMIT 1));
CREATE POLICY made_of_a_case_in_reach ON appointment FOR INSERT TO masar_app
    WITH CHECK (masar_may_write() AND made_by = masar_setting('user_id')::uuid
                AND (SELECT true FROM instance i WHERE i.instance_id = appointment.instance_id AND masar_reaches(i.branch, i.root_id, i.subject) LIMIT 1));
CREATE POLICY changed_of_a_case_in_reach ON appointment FOR UPDATE TO masar_app
    USING (masar_may_write() AND (SELECT true FROM instance i WHERE i.instance_id = appointment.instance_id AND masar_reaches(i.branch, i.root_id, i.subject) LIMIT 1));
CREATE POLICY my_own ON calendar_feed FOR ALL TO masar_app USING (user_id = masar_setting('user_id')::uuid);
CREATE POLICY of_a_case_in_reach ON receipt_secret FOR SELECT TO masar_app USING ((SELECT true FROM instance i WHERE i.instance_id = receipt_secret.instance_id LIMIT 1));
CREATE POLICY of_a_case_in_reach ON received_piece FOR SELECT TO masar_app USING ((SELECT true FROM instance i WHERE i.instance_id = received_piece.instance_id LIMIT 1));
CREATE POLICY sent_by_the_holder ON received_piece FOR INSERT TO masar_app WITH CHECK (masar_is_system() AND masar_may_write());

-- When somebody is taken between two instants, whatever case it is for: when, nothing more.
CREATE FUNCTION masar_taken(of_agent uuid, of_case uuid, since timestamptz, until timestamptz) RETURNS TABLE (begins_at timestamptz, ends_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT lower(a.during), upper(a.during) FROM appointment a
        WHERE masar_setting('user_id') IS NOT NULL AND a.state IN ('set', 'attended') AND a.during && tstzrange(since, until) AND (a.agent_id = of_agent OR a.instance_id = of_case) $$;
-- The agenda behind an address: numbers, places and hours. Of a case that is an operator's no more she is not told.
CREATE FUNCTION masar_agenda(of_digest bytea) RETURNS TABLE (appointment_id uuid, number text, branch text, place text, begins_at timestamptz, ends_at timestamptz,
        state text, changes integer, changed_at timestamptz, language text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT a.appointment_id, i.number, a.branch, a.place, lower(a.during), upper(a.during), a.state, a.changes, a.changed_at, u.language
         FROM calendar_feed f JOIN user_account u ON u.user_id = f.user_id AND u.is_active
         LEFT JOIN (appointment a JOIN instance i USING (instance_id)) ON a.agent_id = f.user_id AND lower(a.during) > masar_now() - interval '30 days'
              AND (u.agency <> 'PART' OR (i.is_shared_operator AND u.user_id = ANY (i.assigned)))
        WHERE f.secret_digest = of_digest ORDER BY lower(a.during) LIMIT 1000 $$;
-- The next appointment of the case behind a receipt: where and when, as the receipt's public page tells it.
CREATE FUNCTION masar_receipt_case(of_code text) RETURNS TABLE (instance_id uuid, number text, opened_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT i.instance_id, i.number, i.opened_at FROM instance r
         JOIN LATERAL (SELECT c.* FROM instance c WHERE c.instance_id = r.instance_id
                          OR (r.process = 'signalement' AND r.status = 'ended' AND c.person_id = r.person_id AND c.process = 'parcours' AND c.root_id = c.instance_id)
                        ORDER BY c.opened_at DESC LIMIT 1) i ON true
        WHERE r.receipt_code = of_code $$;
CREATE FUNCTION masar_receipt_next(of_code text) RETURNS TABLE (opened_at timestamptz, person_since timestamptz, begins_at timestamptz, ends_at timestamptz, place text, branch text, agency text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT c.opened_at, (SELECT min(w.opened_at) FROM wait w JOIN instance p USING (instance_id) WHERE p.root_id = c.instance_id AND w.awaits = 'person'),
              lower(a.during), upper(a.during), a.place, a.branch, a.agency
         FROM masar_receipt_case(of_code) c
         LEFT JOIN LATERAL (SELECT * FROM appointment a WHERE a.instance_id = c.instance_id AND a.state = 'set' AND upper(a.during) > masar_now() ORDER BY a.during LIMIT 1) a ON true $$;
-- The second secret: an agent who reaches the case gives it, anew each time; nobody reads its hash but whoever checks one.
CREATE FUNCTION masar_give_receipt_secret(of_case uuid, of_hash text) RETURNS boolean LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT masar_may_write() OR masar_setting('user_id') IS NULL OR NOT EXISTS (SELECT FROM instance i WHERE i.instance_id = of_case AND i.root_id = of_case
            AND i.receipt_code IS NOT NULL AND masar_reaches(i.branch, i.root_id, i.subject)) THEN
        RETURN false;
    END IF;
    DELETE FROM receipt_secret WHERE instance_id = of_case;
    DELETE FROM receipt_session WHERE instance_id = of_case;
    INSERT INTO receipt_secret (instance_id, secret_hash, given_by, given_at) VALUES (of_case, of_hash, masar_setting('user_id')::uuid, masar_now());
    RETURN true;
END $$;
CREATE FUNCTION masar_receipt_door(of_code text, most integer) RETURNS TABLE (instance_id uuid, secret_hash text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT s.instance_id, s.secret_hash FROM masar_receipt_case(of_code) c JOIN receipt_secret s USING (instance_id) WHERE masar_is_system() AND s.failures < most $$;
CREATE FUNCTION masar_receipt_failed(of_case uuid) RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ UPDATE receipt_secret SET failures = failures + 1 WHERE instance_id = of_case AND masar_is_system() $$;
CREATE FUNCTION masar_receipt_enter(of_case uuid, of_digest bytea, minutes integer) RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF masar_is_system() THEN
        DELETE FROM receipt_session WHERE expires_at < now();
        UPDATE receipt_secret SET failures = 0 WHERE instance_id = of_case;
        INSERT INTO receipt_session VALUES (of_digest, of_case, now() + make_interval(mins => minutes));
    END IF;
END $$;
CREATE FUNCTION masar_receipt_entered(of_digest bytea) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT s.instance_id FROM receipt_session s JOIN instance i USING (instance_id) WHERE s.token_digest = of_digest AND s.expires_at > now() AND i.receipt_code IS NOT NULL $$;
CREATE FUNCTION masar_receipt_leave(of_digest bytea) RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ DELETE FROM receipt_session WHERE token_digest = of_digest $$;
-- A receipt that opens nothing any more (its person was erased) keeps no secret either.
CREATE FUNCTION masar_close_receipt() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM receipt_session WHERE instance_id = NEW.instance_id;
    DELETE FROM receipt_secret WHERE instance_id = NEW.instance_id;
    RETURN NULL;
END $$;
CREATE TRIGGER close_receipt AFTER UPDATE OF receipt_code ON instance FOR EACH ROW WHEN (OLD.receipt_code IS NOT NULL AND NEW.receipt_code IS NULL) EXECUTE FUNCTION masar_close_receipt();
-- A summons is proved as the papers are that a diagram writes: by the line that wrote it.
CREATE OR REPLACE FUNCTION masar_log_receipt(of_code text) RETURNS TABLE (instance_id uuid, seq bigint, line text, hash bytea, person_id uuid, ciphertext bytea, log_index bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT l.instance_id, l.seq, l.line, l.hash, s.person_id, s.ciphertext, e.log_index
         FROM letter p JOIN ledger_line l ON l.instance_id = p.instance_id AND l.kind IN ('operation.done', 'appointment.made', 'appointment.moved') AND l.line::jsonb #>> '{body,letter}' = p.letter_id::text
         LEFT JOIN ledger_sealed s ON s.instance_id = l.instance_id AND s.seq = l.seq
         LEFT JOIN log_entry e ON e.instance_id = l.instance_id AND e.seq = l.seq
        WHERE p.code = of_code ORDER BY p.produced_at DESC, l.seq DESC LIMIT 1 $$;
REVOKE EXECUTE ON FUNCTION masar_receipt_case(text), masar_close_receipt() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_close_receipt() TO masar_app;

GRANT SELECT, INSERT ON appointment TO masar_app;
GRANT UPDATE (agent_id, agency, branch, during, place, state, cause, changes, letter_id, changed_at) ON appointment TO masar_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON calendar_feed TO masar_app;
GRANT SELECT (instance_id, given_by, given_at) ON receipt_secret TO masar_app;
GRANT SELECT, INSERT ON received_piece TO masar_app;
REVOKE EXECUTE ON FUNCTION masar_taken, masar_agenda, masar_receipt_next, masar_give_receipt_secret, masar_receipt_door, masar_receipt_failed, masar_receipt_enter, masar_receipt_entered,
    masar_receipt_leave FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_taken, masar_agenda, masar_receipt_next, masar_give_receipt_secret, masar_receipt_door, masar_receipt_failed, masar_receipt_enter, masar_receipt_entered,
    masar_receipt_leave TO masar_app;
