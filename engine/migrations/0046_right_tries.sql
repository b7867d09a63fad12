-- The try that was right is no try: whoever noted it before looking takes it back, its own and no other. Wrong ones of the same subject stay, so that the holder of one secret cannot
-- wipe away what she guessed at another's door.
CREATE FUNCTION masar_take_back_signin_failure(of_subject text) RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ DELETE FROM signin_attempt WHERE masar_is_system() AND ctid = (SELECT ctid FROM signin_attempt WHERE subject = of_subject ORDER BY failed_at DESC LIMIT 1) $$;
REVOKE EXECUTE ON FUNCTION masar_take_back_signin_failure FROM PUBLIC;
GRANT EXECUTE ON FUNCTION masar_take_back_signin_failure TO masar_app;
