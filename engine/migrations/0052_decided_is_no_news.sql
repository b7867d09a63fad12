-- What waits for a second person is no news once one decided, whoever did, nor once its time is over. Of what nobody knows any more what it was about, neither.
CREATE FUNCTION masar_is_awaited(of_code text, of_what uuid, told_at timestamptz) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT CASE of_code
         WHEN 'repair.proposed' THEN EXISTS (SELECT FROM repair r WHERE r.repair_id = of_what AND r.state = 'proposed' AND r.expires_at > masar_now())
         WHEN 'draft.proposed' THEN EXISTS (SELECT FROM edition_draft d WHERE d.draft_id = of_what AND d.state = 'submitted' AND d.submitted_at <= told_at)
         WHEN 'account.proposed' THEN EXISTS (SELECT FROM account_proposal p WHERE p.proposal_id = of_what AND p.state = 'open')
         WHEN 'erasure.proposed' THEN EXISTS (SELECT FROM erasure e WHERE e.erasure_id = of_what AND e.state = 'proposed')
         WHEN 'merger.proposed' THEN EXISTS (SELECT FROM merger m WHERE m.merger_id = of_what AND m.state = 'proposed')
         ELSE false END $$;
REVOKE EXECUTE ON FUNCTION masar_is_awaited FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_is_awaited TO masar_app;
CREATE OR REPLACE FUNCTION masar_unread(of_user uuid) RETURNS integer LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT count(*)::integer FROM (SELECT 1 FROM notice n WHERE n.user_id = of_user AND n.read_at IS NULL
           AND (n.code NOT IN ('task.opened', 'task.given', 'task.due', 'task.late', 'task.very_late') OR EXISTS (SELECT FROM open_task t WHERE t.task_id = n.task_id))
           AND (n.code NOT LIKE '%.proposed' OR masar_is_awaited(n.code, (n.details ->> 'about')::uuid, n.created_at)) LIMIT 100) x $$;
-- An administrator writes nothing of a case; that rights wait for another she does.
CREATE POLICY told_of_rights ON notice FOR INSERT TO masar_app WITH CHECK (instance_id IS NULL AND code LIKE 'account.%' AND (SELECT masar_holds('administrateur')));
-- Those told before this version: of which repair.
UPDATE notice n SET details = n.details || jsonb_build_object('about', r.repair_id) FROM repair r
 WHERE n.code LIKE 'repair.%' AND r.root_id = n.instance_id AND n.created_at IN (r.proposed_at, r.decided_at);

-- The roles that one account alone holds, of those in use, in its agency and branch: which tasks are open there, by name, and of how many open cases its person is the
-- owner, the named social worker or the operator. Numbers alone: whoever administers sees no case.
CREATE FUNCTION masar_left_alone(of_user uuid) RETURNS TABLE (role text, agency text, branch text, tasks jsonb, cases integer)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT r.role, u.agency, u.branch,
              (SELECT coalesce(jsonb_agg(jsonb_build_object('names', x.names, 'number', x.number)), '[]') FROM (
                  SELECT t.names, count(*) AS number FROM open_task t WHERE t.branch = u.branch AND t.agency = u.agency AND t.role = r.role GROUP BY t.names) x),
              (SELECT count(*)::integer FROM instance i WHERE i.status = 'open' AND i.root_id = i.instance_id
                  AND CASE r.role WHEN 'referent' THEN i.referent_id = u.user_id WHEN 'travailleur_social' THEN i.social_worker_id = u.user_id
                                  WHEN 'operateur' THEN u.user_id = ANY (i.assigned) ELSE false END)
         FROM user_account u CROSS JOIN LATERAL unnest(u.roles) AS r(role)
        WHERE u.user_id = of_user AND u.is_active AND masar_holds('administrateur')
          AND NOT EXISTS (SELECT FROM user_account o WHERE o.is_active AND o.user_id <> u.user_id AND o.agency = u.agency AND o.branch = u.branch AND r.role = ANY (o.roles)) $$;
REVOKE EXECUTE ON FUNCTION masar_left_alone FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_left_alone TO masar_app;
