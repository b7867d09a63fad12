-- Who granted an aid at a sitting is known to its dossier: a payment is not ordered by whoever decided it there. Nor is what is held released by whoever had it held.
CREATE OR REPLACE FUNCTION masar_did_before(of_task uuid, of_user uuid) RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE task record;
BEGIN
    SELECT t.instance_id, t.root_id, t.subjects, t.apart, i.subject LIKE 'imprevu:%' AS is_beside INTO task
      FROM open_task t JOIN instance i USING (instance_id) WHERE t.task_id = of_task AND t.apart <> '{}';
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    -- The dossier of the task and, at a sitting, the one of the aid it is about; of an aid and of what runs beside a case, the sittings that had it too.
    RETURN coalesce((SELECT d.node FROM task_done d
             WHERE d.instance_id IN (SELECT task.instance_id UNION SELECT i.instance_id FROM jsonb_array_elements_text(task.subjects) s JOIN instance i ON i.subject = s
                                     UNION SELECT i.instance_id FROM instance i WHERE task.is_beside AND i.root_id = task.root_id
                                     UNION SELECT s.instance_id FROM instance a JOIN instance s ON s.process = 'seance_commission' AND s.scope -> 'aide' ? split_part(a.subject, ':', 2)
                                            WHERE a.subject LIKE 'aide:%' AND (a.instance_id = task.instance_id OR (task.is_beside AND a.root_id = task.root_id)))
               AND task.apart ? d.node AND d.done_by = of_user AND d.outcome = 'completed' ORDER BY d.done_at DESC LIMIT 1),
        -- Whoever began what runs beside a case, where the task is kept apart from its beginning.
        (SELECT a.key FROM jsonb_each(task.apart) a JOIN ledger_line l ON l.instance_id = task.instance_id AND l.seq = 1
          WHERE task.is_beside AND a.value ? 'begun' AND l.line::jsonb #>> '{actor,id}' = of_user::text LIMIT 1));
END $$;
