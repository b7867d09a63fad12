-- A copy of somebody's data is a paper too, whose text is not kept: whether it was made here is told by the line that its making left, by its code.
CREATE INDEX consultation_paper ON consultation ((line::jsonb #>> '{body,paper}')) WHERE kind = 'access.exported' AND line::jsonb #>> '{body,paper}' IS NOT NULL;
CREATE OR REPLACE FUNCTION masar_letter(of_code text) RETURNS TABLE (titles jsonb, branch text, produced_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ (SELECT l.content -> 'titles', i.branch, l.produced_at FROM letter l JOIN instance i ON i.instance_id = l.root_id
         WHERE l.code = of_code ORDER BY l.produced_at DESC LIMIT 1)
       UNION ALL
       (SELECT c.line::jsonb #> '{body,titles}', i.branch, c.at FROM consultation c JOIN instance i ON i.instance_id = c.root_id
         WHERE c.kind = 'access.exported' AND c.line::jsonb #>> '{body,paper}' = of_code LIMIT 1)
       LIMIT 1 $$;
