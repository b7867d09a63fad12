-- ── Sittings of a committee ──────────────────────────────────────────────────────────────────────────────────────────────
-- Which files a sitting put off for want of a quorum: one answer a file, found without reading every fact.
CREATE INDEX fact_of_quorum ON fact (instance_id) WHERE field = 'aide.quorum_reuni';
-- Whether a member still studies a file of a sitting; asked of the sitting that wrote the opinion.
CREATE FUNCTION masar_is_studied(of_sitting uuid, of_subject text) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM open_task t WHERE t.instance_id = of_sitting AND t.process = 'etude_dossier' AND t.subjects ? of_subject);
END $$;
REVOKE EXECUTE ON FUNCTION masar_is_studied(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_is_studied(uuid, text) TO masar_app;
-- What a member thinks of a file before the sitting is hers alone until every member has said it: nobody votes after another.
CREATE POLICY opinions_are_sealed ON fact AS RESTRICTIVE FOR SELECT TO masar_app USING (
    (field !~ '^aide\.(prevote|question|conflit)_') OR masar_is_system() OR author_id = masar_setting('user_id')::uuid OR NOT masar_is_studied(instance_id, subject));
