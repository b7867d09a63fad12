-- The class of vulnerability that the drawing found (decision D3), as the rule that fired: figures are told apart by it. Nothing of the answers it came from.
DO $$
DECLARE body text := pg_get_functiondef('masar_note_passages(uuid, bigint, text, text)'::regprocedure);
BEGIN
    EXECUTE replace(body, E'    IF body ? \'closed\' THEN', $new$    IF body ? 'decisions' THEN
        INSERT INTO passage (instance_id, kind, position, node, name, opened_at, closed_at)
        SELECT of_instance, 'decided', of_seq || '.' || d.ordinality, d.value ->> 1, d.value #>> '{2,0}', at, at
          FROM jsonb_array_elements(body -> 'decisions') WITH ORDINALITY d WHERE d.value ->> 1 = 'D3' AND d.value #>> '{2,0}' <> '' ON CONFLICT DO NOTHING;
    END IF;
    IF body ? 'closed' THEN$new$);
    EXECUTE replace(pg_get_functiondef('masar_tell_passages(integer, text[], text[], text[])'::regprocedure), 'messages|holder', 'messages|decisions|holder');
END $$;
INSERT INTO passage (instance_id, kind, position, node, name, opened_at, closed_at)
SELECT l.instance_id, 'decided', l.seq || '.' || d.ordinality, 'D3', d.value #>> '{2,0}', (l.line::jsonb ->> 'occurred_at')::timestamptz, (l.line::jsonb ->> 'occurred_at')::timestamptz
  FROM ledger_line l CROSS JOIN LATERAL jsonb_array_elements(l.line::jsonb #> '{body,decisions}') WITH ORDINALITY d
 WHERE l.line LIKE '%"D3"%' AND d.value ->> 1 = 'D3' AND d.value #>> '{2,0}' <> '' ON CONFLICT DO NOTHING;
CREATE INDEX passage_decided ON passage (instance_id) WHERE kind = 'decided';
