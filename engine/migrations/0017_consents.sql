-- Consent as it stands (dossier.consents, casework.agreements).

-- `is_kept`, on the case's own row: the person refused C1, or withdrew it. What other agencies would do of the case is then the case owner's.
ALTER TABLE instance ADD COLUMN is_kept boolean NOT NULL DEFAULT false;
CREATE INDEX instance_kept ON instance (branch) WHERE is_kept;

-- Whether an instance is kept to OTE: its case is; not what somebody began beside its road for another agency (an emergency), which comes to it knowing nothing of the case.
CREATE FUNCTION masar_is_kept(of_instance uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM instance i JOIN instance r ON r.instance_id = i.root_id WHERE i.instance_id = of_instance AND r.is_kept AND i.subject NOT LIKE 'imprevu:%');
END $$;
CREATE FUNCTION masar_case_is_kept(of_instance uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM instance i JOIN instance r ON r.instance_id = i.root_id WHERE i.instance_id = of_instance AND r.is_kept);
END $$;
-- Of what runs beside its road another agency sees what is its own to do.
CREATE FUNCTION masar_is_kept_from_me(of_instance uuid, of_agency text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT coalesce(current_setting('masar.agency', true) IN ('CPS', 'ANETI'), false) AND NOT masar_is_system()
              AND CASE WHEN of_agency = current_setting('masar.agency', true) THEN masar_is_kept(of_instance) ELSE masar_case_is_kept(of_instance) END $$;
CREATE POLICY not_kept ON open_task AS RESTRICTIVE FOR SELECT TO masar_app USING (NOT masar_is_kept_from_me(instance_id, agency));
CREATE POLICY not_kept ON notice AS RESTRICTIVE FOR SELECT TO masar_app USING (instance_id IS NULL OR NOT masar_is_kept_from_me(instance_id, agency));
REVOKE EXECUTE ON FUNCTION masar_is_kept, masar_case_is_kept, masar_is_kept_from_me FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_is_kept, masar_case_is_kept, masar_is_kept_from_me TO masar_app;
