-- Lines come without a gap: whether one of an instance was written in this transaction, its last one says.
CREATE OR REPLACE FUNCTION is_line_written(of_instance uuid) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    RETURN (SELECT xid FROM public.ledger_line WHERE instance_id = of_instance ORDER BY seq DESC LIMIT 1) IS NOT DISTINCT FROM pg_current_xact_id();
END $$;
