-- What an auditor asks the head of another agency of a case that is kept from her falls to the head of the branch (casework.findings says the same); once it is shared again, it is hers again.
CREATE FUNCTION masar_asked(of_role text, of_instance uuid) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT CASE WHEN of_role IN ('chef_cps', 'chef_aneti') AND of_instance IS NOT NULL AND masar_case_is_kept(of_instance) THEN 'chef_antenne' ELSE of_role END $$;
ALTER POLICY of_audit_or_asked ON finding USING ((SELECT masar_holds('auditeur')) OR masar_answers(masar_asked(answer_role, instance_id), answer_branch));
ALTER POLICY in_turn ON finding USING ((SELECT masar_holds('auditeur')) OR masar_answers(masar_asked(answer_role, instance_id), answer_branch));
ALTER POLICY said_by_me ON finding_word WITH CHECK (said_by = masar_setting('user_id')::uuid
    AND EXISTS (SELECT FROM finding f WHERE f.finding_id = finding_word.finding_id
                   AND CASE kind WHEN 'answer' THEN masar_answers(masar_asked(f.answer_role, f.instance_id), f.answer_branch) ELSE masar_holds('auditeur') END));
ALTER POLICY written_by_audit ON journal_line WITH CHECK ((SELECT masar_holds('auditeur')) AND (kind LIKE 'finding.%' OR kind = 'sample.drawn')
    OR (kind = 'finding.answered' AND EXISTS (SELECT FROM finding f WHERE journal_line.about = 'finding:' || f.finding_id
                                                 AND masar_answers(masar_asked(f.answer_role, f.instance_id), f.answer_branch))));
CREATE OR REPLACE FUNCTION refuse_finding_out_of_turn() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    me uuid := masar_setting('user_id')::uuid;
    is_auditor boolean := masar_holds('auditeur');
    changing text[] := '{state,lifted_by,lifted_at,closed_by,closed_at}';
BEGIN
    IF current_user <> 'masar_app' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NOT is_auditor OR NEW.opened_by IS DISTINCT FROM me OR NEW.state <> 'open' OR NEW.lifted_at IS NOT NULL THEN
            RAISE EXCEPTION 'a finding is made by an auditor, open' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'closed' OR to_jsonb(NEW) - changing <> to_jsonb(OLD) - changing THEN
        RAISE EXCEPTION 'finding % is closed, or what it says would change', OLD.number USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.state = 'answered' AND OLD.state = 'open' THEN
        IF NOT masar_answers(masar_asked(OLD.answer_role, OLD.instance_id), OLD.answer_branch) OR NEW.lifted_at IS DISTINCT FROM OLD.lifted_at THEN
            RAISE EXCEPTION 'finding % is answered by whom it asks', OLD.number USING ERRCODE = 'insufficient_privilege';
        END IF;
    ELSIF NOT is_auditor OR (NEW.state = 'closed' AND NEW.closed_by IS DISTINCT FROM me)
          OR (NEW.lifted_at IS DISTINCT FROM OLD.lifted_at AND (OLD.lifted_at IS NOT NULL OR NEW.lifted_by IS DISTINCT FROM me)) OR NEW.state = 'answered' AND OLD.state <> 'answered' THEN
        RAISE EXCEPTION 'finding % is returned, lifted and closed by an auditor', OLD.number USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION masar_asked FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_asked TO masar_app;
