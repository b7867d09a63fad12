-- Whatever asked for a task is no news once it is done, however it came: opened, given, due, late.
CREATE OR REPLACE FUNCTION masar_unread(of_user uuid) RETURNS integer LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT count(*)::integer FROM (SELECT 1 FROM notice n WHERE n.user_id = of_user AND n.read_at IS NULL
           AND (n.code NOT IN ('task.opened', 'task.given', 'task.due', 'task.late', 'task.very_late') OR EXISTS (SELECT FROM open_task t WHERE t.task_id = n.task_id)) LIMIT 100) x $$;
