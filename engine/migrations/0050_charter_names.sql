-- Whom a line of a charter's sheet names, by what only Masar's key makes of it: whatever flight she is said to be on, and whatever else is said of her.
ALTER TABLE charter_line ADD who bytea;
CREATE INDEX charter_line_by_who ON charter_line (who);
