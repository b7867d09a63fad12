-- What an appointment is about, where that is smaller than its case (`mesure:<id>`): it is called off with it.
ALTER TABLE appointment ADD COLUMN subject text NOT NULL DEFAULT '';
ALTER TABLE appointment DISABLE TRIGGER has_its_line;
UPDATE appointment a SET subject = t.subject FROM open_task t WHERE t.task_id = a.task_id;
ALTER TABLE appointment ENABLE TRIGGER has_its_line;
