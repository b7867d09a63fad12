"""Rows that belong to no single history, against what attests them: lines of the ledger and of the journal, or the digest that names them. Of documents, the sealed bytes.

What nothing attests is `UNTOLD`: said by the doctor, table by table, as what it could not check.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text
from sqlmodel import Session

from engine.casework import editions
from engine.dossier import documents, facts
from engine.ledger import journal

# Each finds rows (instance or null, about) of what no line bears out.
_LINES = {
    "edition.other": """SELECT NULL AS instance_id, 'edition ' || e.number || ', ' || f.key AS about FROM edition e CROSS JOIN LATERAL jsonb_each_text(e.files) f
        LEFT JOIN edition_file c ON c.sha256 = f.value WHERE c.content IS NULL OR encode(sha256(c.content), 'hex') <> f.value
        UNION ALL SELECT NULL, 'a file of no edition' FROM edition_file WHERE encode(sha256(content), 'hex') <> sha256 GROUP BY 1""",
    "person.other": """SELECT m.instance_id, 'merger: proposed by another, or by nobody' AS about FROM merger m LEFT JOIN ledger_line l
            ON l.instance_id = m.instance_id AND l.seq = m.seq AND l.kind = 'person.merge_proposed' AND l.actor_id = m.proposed_by::text WHERE l.seq IS NULL
        UNION ALL SELECT m.instance_id, 'merger: ' || m.state || ', and no line says so' FROM merger m WHERE m.state <> 'proposed' AND NOT EXISTS (SELECT FROM ledger_line l
            WHERE l.instance_id = m.instance_id AND l.kind = CASE m.state WHEN 'refused' THEN 'person.merge_refused' WHEN 'done' THEN 'person.merged' ELSE 'person.parted' END
              AND l.line::jsonb #>> '{body,merger}' = m.merger_id::text AND l.actor_id = CASE m.state WHEN 'undone' THEN m.undone_by ELSE m.decided_by END::text)
        UNION ALL SELECT l.instance_id, l.kind || ', and no row does' FROM ledger_line l WHERE l.kind IN ('person.merged', 'person.parted', 'person.merge_refused')
            AND NOT EXISTS (SELECT FROM merger m WHERE m.merger_id::text = l.line::jsonb #>> '{body,merger}'
                               AND CASE l.kind WHEN 'person.merge_refused' THEN m.state = 'refused' WHEN 'person.parted' THEN m.state = 'undone' ELSE m.state IN ('done', 'undone') END)
        UNION ALL SELECT m.other_id, 'person made one with nobody' FROM merger m JOIN person p ON p.person_id = m.gone WHERE m.state = 'done' AND p.merged_into IS DISTINCT FROM m.kept
        UNION ALL SELECT (SELECT i.instance_id FROM instance i WHERE i.person_id IN (p.person_id, p.merged_into) LIMIT 1), 'person made one with another, and nobody did it' FROM person p
            WHERE p.merged_into IS NOT NULL AND NOT EXISTS (SELECT FROM merger m WHERE m.gone = p.person_id AND m.kept = p.merged_into AND m.state = 'done')
        UNION ALL SELECT t.instance_id, 'told apart by another, or by nobody' FROM told_apart t LEFT JOIN ledger_line l ON l.instance_id = t.instance_id AND l.seq = t.seq
            AND l.kind IN ('person.told_apart', 'task.completed') AND l.actor_id = t.decided_by::text WHERE l.seq IS NULL""",
    "erasure.other": """SELECT e.root_id AS instance_id, 'erased, and no line says so' AS about FROM erasure e WHERE e.state = 'done' AND NOT EXISTS (SELECT FROM ledger_line l
            WHERE l.instance_id = e.root_id AND l.kind IN ('person.erased', 'person.erased_in_part') AND l.line::jsonb #>> '{body,erasure}' = e.erasure_id::text AND l.actor_id = e.decided_by::text)
        UNION ALL SELECT l.instance_id, 'erased, and no row does' FROM ledger_line l WHERE l.kind IN ('person.erased', 'person.erased_in_part') AND l.line::jsonb #> '{body,erasure}' IS NOT NULL
            AND NOT EXISTS (SELECT FROM erasure e WHERE e.erasure_id::text = l.line::jsonb #>> '{body,erasure}' AND e.state = 'done')""",
    "repair.other": """SELECT r.instance_id, r.act || ': proposed by another, or by nobody' AS about FROM repair r LEFT JOIN ledger_line l
            ON l.instance_id = r.instance_id AND l.seq = r.seq AND l.kind = 'repair.proposed' AND l.actor_id = r.proposed_by::text WHERE l.seq IS NULL
        UNION ALL SELECT r.instance_id, r.act || ': refused, and no line says so' FROM repair r WHERE r.state = 'refused' AND NOT EXISTS (SELECT FROM ledger_line l
            WHERE l.instance_id = r.instance_id AND l.kind IN ('repair.refused', 'repair.withdrawn') AND l.line::jsonb #>> '{body,repair}' = r.repair_id::text)""",
    "rule.other": """SELECT x.instance_id, 'line ' || x.seq || ', ' || x.rule AS about FROM (
            (SELECT l.instance_id, l.seq, f.decision, f.rule, l.at FROM ledger_line l CROSS JOIN LATERAL masar_rules_of(l.line) f WHERE l.line LIKE '%"decisions":[%'
             EXCEPT SELECT instance_id, seq, decision, rule, at FROM rule_fired)
            UNION ALL (SELECT instance_id, seq, decision, rule, at FROM rule_fired
             EXCEPT SELECT l.instance_id, l.seq, f.decision, f.rule, l.at FROM ledger_line l CROSS JOIN LATERAL masar_rules_of(l.line) f WHERE l.line LIKE '%"decisions":[%')) x""",
    # Of an account born with the installation (a demonstration's) no line tells.
    "account.other": """SELECT NULL AS instance_id, u.username AS about FROM user_account u JOIN LATERAL (
            SELECT l.line::jsonb -> 'body' AS body FROM journal_line l WHERE l.about = 'user:' || u.user_id AND l.kind IN ('account.created', 'account.rights_given') ORDER BY l.seq DESC LIMIT 1) r ON true
         WHERE (u.agency, u.branch) IS DISTINCT FROM (r.body ->> 'agency', r.body ->> 'branch')
            OR ARRAY(SELECT unnest(u.roles) ORDER BY 1) IS DISTINCT FROM ARRAY(SELECT jsonb_array_elements_text(r.body -> 'roles') ORDER BY 1)
        UNION ALL SELECT NULL, u.username FROM user_account u JOIN LATERAL (SELECT l.kind FROM journal_line l WHERE l.about = 'user:' || u.user_id
            AND l.kind IN ('account.created', 'account.rights_given', 'account.closed') ORDER BY l.seq DESC LIMIT 1) r ON true WHERE u.is_active = (r.kind = 'account.closed')""",
    "sample.other": """SELECT NULL AS instance_id, s.seed AS about FROM audit_sample s LEFT JOIN journal_line l ON l.about = 'sample:' || s.sample_id AND l.kind = 'sample.drawn'
         WHERE (s.seed, s.size, cardinality(s.population)) IS DISTINCT FROM (l.line::jsonb #>> '{body,seed}', (l.line::jsonb #>> '{body,size}')::int, (l.line::jsonb #>> '{body,population}')::int)
            OR s.drawn IS DISTINCT FROM (SELECT coalesce(array_agg(d.id ORDER BY d.digest, d.id), '{}') FROM (
                   SELECT id, sha256(convert_to(s.seed || id::text, 'UTF8')) AS digest FROM unnest(s.population) id ORDER BY 2, 1 LIMIT s.size) d)""",
    "message.seen_otherwise": "SELECT m.sender_id AS instance_id, m.name AS about FROM message m WHERE (m.consumed_at IS NULL) <> (m.consumed_by IS NULL)",
}  # fmt: skip
_EDITIONS = text("SELECT number, digest, files FROM edition")
_SCOPES = text("SELECT digest, content FROM dated_scope")
_DOCUMENTS = text(f"""
    SELECT d.document_id, d.root_id, d.class, d.size, d.sha256,
           (SELECT array_agg(f.class) FROM {facts.EVERY} f WHERE f.root_id = d.root_id AND strpos(f.value::text, d.document_id::text) > 0) AS classes,
           EXISTS (SELECT FROM received_piece r WHERE r.document_id = d.document_id) AS is_received
      FROM document d WHERE d.root_id IS NOT NULL ORDER BY d.document_id""")
_RECEIVED = text("""SELECT r.instance_id, r.piece AS about FROM received_piece r WHERE NOT EXISTS (SELECT FROM ledger_line l WHERE l.instance_id = r.instance_id
                        AND l.line::jsonb #>> '{body,document}' = r.document_id::text)""")
_FINDINGS = text("""SELECT 'finding:' || f.finding_id AS about, f.number, f.said, f.opened_by::text AS by, ARRAY(SELECT w.said FROM finding_word w WHERE w.finding_id = f.finding_id ORDER BY w.place) AS words,
                           json_build_object('role', f.answer_role, 'branch', f.answer_branch, 'due_on', f.due_on::text, 'holds', f.holds) AS asked, f.state, f.lifted_at IS NOT NULL AS is_lifted,
                           f.finding_id IN (SELECT masar_forgotten_findings()) AS is_forgotten FROM finding f""")
_FORGOTTEN = "—"  # the words of a finding that went with a person, as `masar_forget_findings` leaves them

# Table → why nothing tells what its rows hold.
UNTOLD = {
    "agency, branch, holiday": "born with the installation; of changes the journal tells, of the rest the day's digest in each line",
    "branch_change, agency_change": "the journal tells of each, the row is not held against it",
    "account_proposal, access_review, access_review_line": "the journal tells of each step, the row is not held against it",
    "batch, batch_line, trial, edition_draft, draft_save": "work in progress: nothing comes of it but what lines tell",
    "draft, desk_view, digest, calendar_feed": "somebody's own, typed or kept",
    "notice, mail_kept": "told once, and no line says to whom",
    "user_session, signin_attempt, receipt_secret, receipt_session": "doors: who came in is told by what she did",
    "person_token, charter_line, case_number": "made of what is said under a key of Masar's: an entry taken away is not missed here",
    "demo_clock, installation, fund_waiting, lapse": "how things stand now, with no history",
}  # fmt: skip


def differences(session: Session) -> Iterator[tuple[str, str, str]]:
    """What is not as it is attested: code (see `doctor`), instance or "", what."""
    for code, query in _LINES.items():
        yield from ((code, str(row.instance_id or ""), str(row.about)) for row in session.execute(text(query)))
    for row in session.execute(_EDITIONS):
        if editions.digest_of(row.files) != row.digest:
            yield "edition.other", "", f"edition {row.number}"
    for row in session.execute(_SCOPES):
        if hashlib.sha256(json.dumps(row.content, ensure_ascii=False, sort_keys=True).encode()).hexdigest() != row.digest:
            yield "scope.other", "", row.digest[:12]
    yield from _documents(session)
    yield from _findings(session)


def _documents(session: Session) -> Iterator[tuple[str, str, str]]:
    for row in session.execute(_DOCUMENTS).all():
        about, classes = str(row.document_id), row.classes or []
        if not classes and not row.is_received:
            yield "document.other", str(row.root_id), f"{about}: no answer names it"
        elif classes and row._mapping["class"] not in classes:
            yield "document.other", str(row.root_id), f"{about}: under another class than the answer that names it"
        if not documents.is_whole(session, row.document_id, row.size, row.sha256):
            yield "document.other", str(row.root_id), f"{about}: its bytes are gone, or are not those that were sent"
    yield from (("document.other", str(row.instance_id), f"{row.about}: no line tells that it was sent") for row in session.execute(_RECEIVED))


def _findings(session: Session) -> Iterator[tuple[str, str, str]]:
    """A finding and its words against what the journal sealed of them."""
    for row in session.execute(_FINDINGS).all():
        told = list(reversed(journal.read(session, about=row.about, limit=1000)))
        kinds = [one.kind.removeprefix("finding.") for one in told]
        turns = [one for one in kinds if one in ("opened", "answered", "returned", "closed")]
        state = {"opened": "open", "returned": "open"}.get(turns[-1], turns[-1]) if turns else ""
        is_told = bool(told) and kinds[0] == "opened" and told[0].actor_id == row.by and {name: told[0].body.get(name) for name in row.asked} == row.asked
        words, kept = [one.said.get("said") for one in told], [row.said, *row.words]
        if row.is_forgotten:  # what was said before that opens no more
            words = [_FORGOTTEN if one is None else one for one in words]
        if not is_told or words != kept or (state, "lifted" in kinds) != (row.state, row.is_lifted):
            yield "finding.other", "", str(row.number)
