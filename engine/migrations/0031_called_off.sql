-- A notice that an appointment is called off is proved as its summons is: by the line that wrote it.
CREATE OR REPLACE FUNCTION masar_log_receipt(of_code text) RETURNS TABLE (instance_id uuid, seq bigint, line text, hash bytea, person_id uuid, ciphertext bytea, log_index bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT l.instance_id, l.seq, l.line, l.hash, s.person_id, s.ciphertext, e.log_index
         FROM letter p JOIN ledger_line l ON l.instance_id = p.instance_id AND (l.kind = 'operation.done' OR l.kind LIKE 'appointment.%') AND l.line::jsonb #>> '{body,letter}' = p.letter_id::text
         LEFT JOIN ledger_sealed s ON s.instance_id = l.instance_id AND s.seq = l.seq
         LEFT JOIN log_entry e ON e.instance_id = l.instance_id AND e.seq = l.seq
        WHERE p.code = of_code ORDER BY p.produced_at DESC, l.seq DESC LIMIT 1 $$;
