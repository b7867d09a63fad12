-- Whoever a task opened for is told in the statement that opens it.
CREATE FUNCTION masar_tell_opened(of_instance uuid, of_now timestamptz, notices jsonb) RETURNS void LANGUAGE sql AS
    $$ INSERT INTO notice (notice_id, user_id, branch, code, details, instance_id, task_id, created_at)
       SELECT r.notice_id, r.user_id, r.branch, 'task.opened', r.details, of_instance, r.task_id, of_now
         FROM jsonb_to_recordset(notices) AS r(notice_id uuid, user_id uuid, branch text, task_id uuid, details jsonb) $$;
REVOKE EXECUTE ON FUNCTION masar_tell_opened FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_tell_opened TO masar_app;
