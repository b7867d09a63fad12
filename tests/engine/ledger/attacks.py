"""What somebody with every right in the database can do to a ledger: the attacks of threats.md §5, each as SQL past the guards."""

import hashlib
import json
from contextlib import contextmanager

from sqlalchemy import text

from engine.ledger import chain, log, merkle, notes


@contextmanager
def past_the_guards(database):
    with database.owner() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        yield connection


def run(connection, statement, **given):
    connection.execute(text(statement), given)


# ── By hand: one statement each ─────────────────────────────────────────────────────────────────────────────────────────────────


def edit_payload(connection, case):
    run(connection, "UPDATE ledger_line SET line = replace(line, '\"saisir\"', '\"saluer\"') WHERE instance_id = :case AND seq = 2", case=case)


def edit_author(connection, case):
    run(connection, "UPDATE ledger_line SET line = replace(line, '\"agency\":\"OTE\"', '\"agency\":\"CPS\"') WHERE instance_id = :case AND seq = 2", case=case)


def delete_middle(connection, case):
    run(connection, "DELETE FROM ledger_line WHERE instance_id = :case AND seq = 2", case=case)


def truncate_tail(connection, case):
    """The last line goes, and all that it told of: the head is the line before."""
    run(connection, "DELETE FROM ledger_line WHERE instance_id = :case AND seq = (SELECT max(seq) FROM ledger_line WHERE instance_id = :case)", case=case)
    run(connection, "UPDATE instance i SET (seq, head) = (SELECT seq, hash FROM ledger_line l WHERE l.instance_id = :case ORDER BY seq DESC LIMIT 1) WHERE instance_id = :case", case=case)


def swap(connection, case):
    for old, new in ((2, 1002), (3, 2), (1002, 3)):
        run(connection, "UPDATE ledger_line SET seq = :new WHERE instance_id = :case AND seq = :old", case=case, old=old, new=new)


def insert_back_dated(connection, case):
    """A line between the first and the second; those after it move on by one."""
    run(connection, "UPDATE ledger_line SET seq = seq + 1001 WHERE instance_id = :case AND seq >= 2", case=case)
    run(connection, "UPDATE ledger_line SET seq = seq - 1000 WHERE instance_id = :case AND seq > 1000", case=case)
    first = connection.execute(text("SELECT line, hash FROM ledger_line WHERE instance_id = :case AND seq = 1"), {"case": case}).one()
    told = {**json.loads(first.line), "seq": 2, "prev": bytes(first.hash).hex(), "kind": "task.completed", "sealed": {}}
    line = chain.canonical(told)
    run(connection, "INSERT INTO ledger_line (instance_id, seq, kind, line, hash) VALUES (:case, 2, 'task.completed', :line, :hash)",
        case=case, line=line.decode(), hash=hashlib.sha256(line).digest())  # fmt: skip


def change_table(connection, case):
    run(connection, "UPDATE task_done SET node = 'saluer', task_id = gen_random_uuid() WHERE instance_id = :case AND node = 'saisir'", case=case)


def drop_row(connection, case):
    run(connection, "DELETE FROM task_done WHERE instance_id = :case AND node = 'saisir'", case=case)


# ── With everything calculated anew ──────────────────────────────────────────────────────────────────────────────────────────────


def rewrite(connection, case, first, change):
    """From line `first` on the chain says otherwise and holds: hashes, links, head, and the entries of the log."""
    rows = connection.execute(text("SELECT seq, line, hash FROM ledger_line WHERE instance_id = :case ORDER BY seq"), {"case": case}).all()
    prev = chain.BEGINNING
    for row in rows:
        digest, line = bytes(row.hash), row.line
        if row.seq >= first:
            told = json.loads(line) | {"prev": prev.hex()}
            line = chain.canonical(change(told) if row.seq == first else told).decode()
            digest = hashlib.sha256(line.encode()).digest()
            run(connection, "UPDATE ledger_line SET line = :line, hash = :hash WHERE instance_id = :case AND seq = :seq", case=case, seq=row.seq, line=line, hash=digest)
            run(connection, "UPDATE log_entry SET hash = :hash WHERE instance_id = :case AND seq = :seq", case=case, seq=row.seq, hash=digest)
        prev = digest
    run(connection, "UPDATE instance SET head = :head WHERE instance_id = :case", case=case, head=prev)


def another_author(told):
    return told | {"actor": told["actor"] | {"agency": "CPS"}}


def grow_tree_anew(connection, secret=None):
    """The tiles as the entries now say; with the stolen key, every checkpoint signed again."""
    run(connection, "DELETE FROM log_tile")
    sizes = connection.execute(text("SELECT size FROM log_checkpoint ORDER BY size")).scalars().all()
    edge = merkle.Edge()
    for row in connection.execute(text("SELECT instance_id, seq, hash FROM log_entry ORDER BY log_index")).all():
        for tile in edge.add([merkle.leaf(log.leaf_content(row.instance_id, row.seq, bytes(row.hash)))]):
            run(connection, "INSERT INTO log_tile VALUES (:row, :place, :root, :hashes)", row=tile.row, place=tile.place, root=tile.root, hashes=tile.hashes)
        if secret and edge.size in sizes:
            told = notes.Checkpoint(secret.key.name, edge.size, edge.root())
            run(connection, "UPDATE log_checkpoint SET root = :root, note = :note WHERE size = :size", size=edge.size, root=told.root, note=notes.sign(str(told), secret))


def stolen(database):
    """The key that signs, out of the key folder."""
    (file,) = database.carried["keys"].log_folder.glob("*.key")
    return notes.read_secret(file.read_text())
