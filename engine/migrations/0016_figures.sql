-- An instant kept holds the marks of the whole history before it (`strips`), so no row tells kinds; those kept without are made anew.
DELETE FROM replay_snapshot;
ALTER TABLE replay_snapshot DROP COLUMN kinds;
INSERT INTO replay_due SELECT instance_id FROM instance WHERE seq >= 16 ON CONFLICT DO NOTHING;
-- Which editions a case was moved from, without reading its whole history. (Literal as in `diagrams`.)
CREATE INDEX ledger_line_of_moves ON ledger_line (instance_id) WHERE kind = ANY ('{case.moved,case.moved_back}');
-- The latest instants kept up to a line, and the rows that hold the marks of a stretch of lines. By index, whatever the planner takes the table for: on a table it
-- thinks small it reads a whole history and sorts it.
CREATE FUNCTION masar_instants_before(of_instance uuid, upto bigint) RETURNS TABLE (seq bigint, person_id uuid, ciphertext bytea)
    LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    RETURN QUERY SELECT r.seq, r.person_id, r.ciphertext FROM replay_snapshot r WHERE r.instance_id = of_instance AND r.seq <= upto ORDER BY r.seq DESC LIMIT 3;
END $$;
CREATE FUNCTION masar_marks_between(of_instance uuid, first bigint, last bigint) RETURNS TABLE (marks jsonb)
    LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE past bigint := (SELECT r.seq FROM replay_snapshot r WHERE r.instance_id = of_instance AND r.seq >= last ORDER BY r.seq LIMIT 1);
BEGIN
    RETURN QUERY SELECT r.marks FROM replay_snapshot r WHERE r.instance_id = of_instance AND r.seq >= first AND r.seq <= coalesce(past, last);
END $$;
REVOKE EXECUTE ON FUNCTION masar_instants_before, masar_marks_between FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_instants_before, masar_marks_between TO masar_app;
