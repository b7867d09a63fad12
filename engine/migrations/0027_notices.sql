-- Whoever a task opened for is told in the statement that opens it.
CREATE FUNCTION masar_tell_opened(of_instance uuid, of_now timestamptz, notices jsonb) RETURNS void LANGUAGE sql AS
    $$ INSERT INTO notice (notice_id, user_id, branch, code, details, instance_id, task_id, created_at)
       SELECT r.notice_id, r.user_id, r.branch, 'task.opened', r.details, of_instance, r.task_id, of_now
         FROM jsonb_to_recordset(notices) AS r(notice_id uuid, user_id uuid, branch text, task_id uuid, details jsonb) $$;
REVOKE EXECUTE ON FUNCTION masar_tell_opened FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_tell_opened TO masar_app;
-- What was to be done and is done is no news any more.
CREATE OR REPLACE FUNCTION masar_unread(of_user uuid) RETURNS integer LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT count(*)::integer FROM (SELECT 1 FROM notice n WHERE n.user_id = of_user AND n.read_at IS NULL
           AND (n.code <> 'task.opened' OR EXISTS (SELECT FROM open_task t WHERE t.task_id = n.task_id)) LIMIT 100) x $$;
