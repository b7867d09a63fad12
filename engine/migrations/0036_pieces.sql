-- A paper that somebody brought is put into the case by whoever works there, from a document that she has just sent; a name of its own takes the place of the file's.
CREATE POLICY brought_to_a_desk ON received_piece FOR INSERT TO masar_app WITH CHECK (masar_may_write()
    AND (SELECT true FROM instance i WHERE i.instance_id = received_piece.instance_id AND masar_reaches(i.branch, i.root_id, i.subject) LIMIT 1)
    AND (SELECT true FROM document d WHERE d.document_id = received_piece.document_id AND d.uploaded_by = masar_setting('user_id')::uuid AND d.root_id = received_piece.instance_id
         AND masar_writes_class(d.class) LIMIT 1));
GRANT UPDATE (name) ON document TO masar_app;
