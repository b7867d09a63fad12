"""A case as one file that verifies itself: its ledger lines, what its reader may see of what they sealed with the salts, where it stood at each, its diagrams.

The page beside this module draws and checks it in any browser without network: each line by its hash, the one before it and its way to the root of a signed
checkpoint, each value shown by its commitment, the whole by a seal that the log's key signed. Values that are not the recipient's are left out; their
commitments stay.
"""

import datetime as dt
import hashlib
import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors, i18n
from engine.actors import authority
from engine.actors.agencies import PARTNERS
from engine.casework import cases, editions, replays, staff
from engine.database import Database
from engine.dossier import facts
from engine.i18n import pick
from engine.insight import recipients, sheets, telling
from engine.ledger import access, chain, consultations, log, merkle
from engine.pathway import bpmn, replay
from forms import text as forms_text

FORMAT = 2
_PAGE = Path(__file__).parent / "casefile_page"
_ROWS = text("SELECT * FROM instance WHERE root_id = :id ORDER BY opened_at, instance_id")
_LINES = text("""SELECT l.instance_id, l.seq, l.line, l.hash, s.ciphertext, s.person_id, e.log_index FROM ledger_line l JOIN instance i USING (instance_id)
                   LEFT JOIN ledger_sealed s ON s.instance_id = l.instance_id AND s.seq = l.seq LEFT JOIN log_entry e ON e.instance_id = l.instance_id AND e.seq = l.seq
                  WHERE i.root_id = :id ORDER BY i.opened_at, l.instance_id, l.seq""")
_NUMBERS = text("SELECT number, edition_id FROM edition")
_NUMBERED = text("SELECT instance_id FROM instance WHERE number = :number AND root_id = instance_id")
_DOCUMENTS = text("SELECT document_id, class, sha256, media_type, size, uploaded_at FROM document WHERE root_id = :id ORDER BY uploaded_at")
_LESS_THAN = "\x1f"  # stands for `<` in the page's data: canonical JSON never holds it


@dataclass(frozen=True)
class CaseFileSheet:
    """The file: its bytes and what it is called."""

    name: str
    content: bytes


@dataclass
class _Making:
    """What is at hand while one file is made. `sees`: whether a field is the recipient's to see."""

    session: Session
    language: str
    root: Any
    edition: editions.Edition
    editions: Mapping[int, editions.Edition]
    sees: Callable[[str], bool]
    sees_class: Callable[[str], bool]
    sees_reasons: bool
    named: Mapping[str, str]


def make(session: Session, actor: Any, case_id: UUID, recipient: str = "") -> CaseFileSheet:
    """The file of a case, in the actor's language, with what she sees; for another (`recipient`, one of `recipients.RECIPIENTS`), with no more than that one may see.

    Refuses: `case.not_found` (absent, or not hers to know); `casefile.recipient` (Invalid), `casefile.not_agreed` (Forbidden). Records: `access.exported`.
    """
    rows = session.execute(_ROWS, {"id": case_id}).all()
    root = next((row for row in rows if row.instance_id == case_id), None)
    if root is None:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "casefile.export", branch=root.branch, case=root)
    recipients.require(recipient, root)
    making = _begin(session, actor, root, recipient)
    rows = _told_of(session, rows, recipient)
    kept = {row.instance_id for row in rows}
    lines = [row for row in session.execute(_LINES, {"id": case_id}).all() if row.instance_id in kept]
    ledger, content = _content(making, actor, rows, lines, recipient)
    told = {"recipient": recipient, "classes": content["for"]["classes"], "sha256": content["digest"]}
    consultations.exported(session, case_id, "casefile", told)
    sheet = page(content, ledger, _proofs(session, lines), actor.language, lambda seal: log.vouch(session, f"masar/casefile\n{seal}\n"))
    return CaseFileSheet(f"masar-{root.number or case_id}.html", sheet)


def _told_of(session: Session, rows: Sequence[Any], recipient: str) -> list[Any]:
    """The instances a file tells of: a partner is told of no fraud or appeal beside the case, as no page tells her (`exceptions.of_case`): it may be hers."""
    if recipient != PARTNERS:
        return list(rows)
    beside = {row.instance_id for row in rows if row.process in editions.load(session, row.edition_id).definitions.unforeseen}
    while more := {row.instance_id for row in rows if row.parent_id in beside} - beside:
        beside |= more
    return [row for row in rows if row.instance_id not in beside]


def by_number(database: Database, actor: Any, number: str, recipient: str = "") -> bytes:
    """The file of a case by its number, at a terminal. Refuses as `make`."""
    with database.reading(actor) as session:
        case_id = session.execute(_NUMBERED, {"number": number.strip().upper()}).scalar()
        if case_id is None:
            raise errors.NotFound("case.not_found")
        return make(session, actor, case_id, recipient).content


def page(content: Mapping[str, Any], ledger: str, proofs: str, language: str, sign: Callable[[str], str]) -> bytes:
    """The HTML page of what was gathered; `ledger`, `proofs`: rows; `sign`: the log's word on the seal of all of it ("" where no key signs)."""
    style = (_PAGE / "page.css").read_text("utf-8").strip()
    script = "\n".join((_PAGE / name).read_text("utf-8").strip() for name in ("proof.js", "page.js"))
    told, ways = (json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=str).replace("<", "\\u003c"), proofs.replace("<", "\\u003c"))
    rows = ledger.replace("<", _LESS_THAN)
    policy = f"default-src 'none'; img-src data:; script-src 'sha256-{_base64(script)}'; style-src 'sha256-{_base64(style)}'"
    title = f"{content['words']['title']} {content['case']['number']}"
    frame = [
        f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">', '<meta id="m1" charset="utf-8">',
        '<meta id="m2" name="viewport" content="width=device-width, initial-scale=1">', f'<meta id="m3" http-equiv="content-security-policy" content="{policy}">',
        f'<title id="m4">{title}</title>', f'<p id="state" class="bad" role="status">{content["words"]["unread"]}</p>',
    ]  # fmt: skip
    seal = hashlib.sha256("\n".join((*frame, style, told, rows, ways, script)).encode()).hexdigest()
    html, meta, state = frame[0], "\n".join(frame[1:5]), frame[5]
    return "\n".join((
        "<!doctype html>", html, "<head>", meta, f'<meta id="seal" content="{seal}">', f'<meta id="signed" content="{sign(seal).strip()}">', f'<style id="style">{style}</style>',
        "</head>", "<body>", state, '<main id="main"></main>', f'<script id="content" type="application/json">{told}</script>',
        f'<script id="ledger" type="text/plain">{rows}</script>', f'<script id="proofs" type="text/plain">{ways}</script>', f'<script id="script">{script}</script>', "</body>", "</html>", "",
    )).encode()  # fmt: skip


def _proofs(session: Session, lines: Sequence[Any]) -> str:
    """Rows: the checkpoint with the log's keys and witnesses; the hashes that the proofs take; of each line its place in the log and its hashes by their place in
    that row, from the leaf upwards, nothing where it is not sealed yet."""
    places = [row.log_index for row in lines if row.log_index is not None]
    under = log.best_for(session, max(places)) if places else None
    told: dict[str, Any] = {"keys": log.key_chain(session), "witnesses": [{"key": str(key), "agency": agency} for key, agency in log.witnesses(session)]}
    nodes, paths = merkle.inclusions(places, under.size, log.reader(session)) if under else ([], [])
    ways = iter([" ".join(str(one) for one in (place, *path)) for place, path in zip(places, paths, strict=True)] if under else [])
    head = chain.canonical(told | ({"checkpoint": under.note} if under else {})).decode()
    return "\n".join((head, " ".join(b64encode(one).decode() for one in nodes), *(next(ways) if under and row.log_index is not None else "" for row in lines)))


def _begin(session: Session, actor: Any, root: Any, recipient: str) -> _Making:
    edition = editions.load(session, root.edition_id)
    known = {row.number: row.edition_id for row in session.execute(_NUMBERS)}

    def sees_class(field_class: str) -> bool:
        return recipients.sees(actor, recipient, field_class, root)

    def sees(name: str) -> bool:
        found = edition.dictionary.fields.get(name)
        return found is not None and sees_class(authority.classes_of(found))

    return _Making(session, actor.language, root, edition, {number: editions.load(session, found) for number, found in known.items()}, sees, sees_class,
                   sees_class("C") and recipient != PARTNERS, {})  # fmt: skip


def _content(making: _Making, actor: Any, rows: Sequence[Any], lines: Sequence[Any], recipient: str) -> tuple[str, dict[str, Any]]:
    session, root, language = making.session, making.root, making.language
    read = [json.loads(row.line) for row in lines]
    making.named = staff.of_lines(session, language, read)
    places = {row.instance_id: place for place, row in enumerate(rows)}
    stands = {row.instance_id: _stands(session, row) for row in rows}
    told, ledger = [], []
    for row, line in zip(lines, read, strict=True):
        opened = _opened(making, row)
        ledger.append(f"{places[row.instance_id]} {bytes(row.hash).hex()} {row.line}")
        ledger.append(chain.canonical({name: [salt.hex(), value] for name, (salt, value) in opened.items()}).decode())
        told.append(_told(making, row, line, opened, stands[row.instance_id].get(row.seq)))
    drawn = {(one["edition"], process) for one in told for process in one.get("here", {})}
    drawn |= {(making.edition.number, row.process) for row in rows}
    content = {
        "format": FORMAT, "language": language, "made_at": _moment(clock.now(session), language), "words": _words(language),
        "for": {"role": telling.words(language)(f"recipient.{recipient}") if recipient else "", "name": actor.called(language), "classes": recipients.classes(actor, recipient, root)},
        "case": _case(making, rows), "instances": [_instance(making, row) for row in rows], "lines": told,
        "known": _known(making), "documents": _documents(making),
        "sheets": [_sheet(making, number, process) for number, process in sorted(drawn, key=lambda one: (one[1] != root.process, *one))],
    }  # fmt: skip
    content["digest"] = hashlib.sha256("\n".join(ledger).encode()).hexdigest()
    return "\n".join(ledger), content


def _stands(session: Session, row: Any) -> dict[int, dict[str, Any]]:
    """Where an instance stood after each line that moved it (`here`), what it has passed since the one before (`done`; all of it where that is not more, `anew`),
    by process; as far as its key still opens what moved it."""
    found = replays.history(session, row.instance_id)
    stands: dict[int, dict[str, Any]] = {}
    before: set[tuple[str, str]] = set()
    try:
        for said, step in replay.again(found.held.process, found.said):
            seen = bpmn.inspect(said.definitions, step.state)
            passed = {(process, one) for process, ids in seen.done_in.items() for one in ids}
            more: dict[str, list[str]] = {}
            for process, one in sorted(passed - before if before <= passed else passed):
                more.setdefault(process, []).append(one)
            stands[said.seq] = {"here": {process: sorted(ids) for process, ids in seen.active_in.items()}, "done": more, "anew": not before <= passed}
            before = passed
    except errors.Refusal:  # a line that its own edition refuses: the doctor says so
        pass
    return stands


def _opened(making: _Making, row: Any) -> dict[str, tuple[bytes, Any]]:
    """What the recipient may see of what a line sealed, with the salts: values of fields by their class, a reason with the common class and to no partner, why a turn was taken
    where every value it weighed is hers to see. What replays and moves keep stays sealed."""
    if row.ciphertext is None:
        return {}
    found = access.open_salted(making.session, row.instance_id, row.seq, row.person_id, row.ciphertext)
    return {name: pair for name, pair in found.items()
            if ("|" in name and making.sees(name.partition("|")[2])) or (name == "reason" and making.sees_reasons)
            or (name == "why" and all(_is_whole(one, making.sees) for one in pair[1]))}  # fmt: skip


def _is_whole(one: Mapping[str, Any], sees: Callable[[str], bool]) -> bool:
    weighed = [one["values"]] if "decision" in one else [asked.get("values", {}) for asked in one.get("why", ())]
    return all("." not in name or sees(name) for values in weighed for name in values)


def _told(making: _Making, row: Any, line: Mapping[str, Any], opened: Mapping[str, tuple[bytes, Any]], stand: Mapping[str, Any] | None) -> dict[str, Any]:
    """A line in words, and where the instance stood after it."""
    language, edition = making.language, making.editions.get(line["edition"], making.edition)
    names = {node: edition.definitions.label(node, language) for node in _nodes(line)}
    fields = edition.dictionary.fields
    answers = [[pick(fields[name].label, language), _display(fields[name], pair[1], language), key]
               for key, pair in opened.items() if "|" in key and (name := key.partition("|")[2]) in fields]  # fmt: skip
    told: dict[str, Any] = {
        "edition": line["edition"] or making.edition.number, "node": line["body"].get("node", ""), "answers": answers,
        "text": telling.sentence(telling.words(language), line["kind"], staff.with_names(line["body"], making.named), staff.doer(line["actor"], making.named, language), line["actor"].get("agency", ""), names),
        "hidden": sum("|" in name for name in line["sealed"]) - len(answers),
    }  # fmt: skip
    if (form := edition.forms.get(line["body"].get("form", ""))) is not None:
        told["form"] = pick(form.title, language)
    if row.ciphertext is not None and "why" in line["sealed"]:
        sealed = access.open_salted(making.session, row.instance_id, row.seq, row.person_id, row.ciphertext)
        shown = [cases.seen_why(one, making.sees) for one in sealed.get("why", (b"", ()))[1]]
        told["why"] = [said for one in shown for said in telling.why(telling.words(language), one, names | {one["node"]: edition.definitions.label(one["node"], language)})]
        told["why_is_whole"] = "why" in opened
    return told | (stand or {})


def _nodes(line: Mapping[str, Any]) -> set[str]:
    body = line["body"]
    return {str(one) for one in (body.get("node"), body.get("to"), *(node for _, node in body.get("opened", ()))) if one}


def _display(field: Any, value: Mapping[str, Any], language: str) -> str:
    return forms_text.display(field, value.get("value"), language) if value.get("status") == "known" else forms_text.status(value.get("status"), language)


def _case(making: _Making, rows: list[Any]) -> dict[str, Any]:
    root, say = making.root, telling.words(making.language)
    return {"number": root.number or "", "branch": say(f"branch.{root.branch}"), "process": pick(making.edition.definitions.processes[root.process].names, making.language),
            "opened_at": _moment(root.opened_at, making.language), "ended_at": _moment(root.ended_at, making.language), "parts": len(rows)}  # fmt: skip


def _instance(making: _Making, row: Any) -> dict[str, Any]:
    names = making.edition.definitions.processes[row.process].names if row.process in making.edition.definitions.processes else {}
    return {"id": str(row.instance_id), "name": pick(names, making.language) or row.process, "seq": row.seq, "head": bytes(row.head).hex()}


def _known(making: _Making) -> list[list[str]]:
    root, fields, language = making.root, making.edition.dictionary.fields, making.language
    found = facts.readable(making.session, facts.Subjects(root.instance_id, root.person_id, root.scope))
    authors = staff.names(making.session, language, (one.author_id for one in found))
    return [[pick(fields[one.field].label, language), _display(fields[one.field], {"value": one.value, "status": one.status}, language),
             authors.get(str(one.author_id), one.author_name), _moment(one.recorded_at, language)]
            for one in found if one.field in fields and fields[one.field].type != "list" and making.sees(one.field)]  # fmt: skip


def _documents(making: _Making) -> list[list[Any]]:
    """Each document by its digest: who holds the paper can show that it is the one."""
    found = making.session.execute(_DOCUMENTS, {"id": making.root.instance_id}).all()
    return [[row.sha256, row.media_type, row.size, _moment(row.uploaded_at, making.language)] for row in found if making.sees_class(row._mapping["class"])]


def _sheet(making: _Making, number: int, process: str) -> dict[str, Any]:
    edition = making.editions.get(number, making.edition)
    drawn = sheets.geometry(edition.definitions.diagram(process), making.language)
    return {"edition": number, "process": process, "name": pick(edition.definitions.processes[process].names, making.language), **drawn}


def _words(language: str) -> dict[str, str]:
    return {code.removeprefix("casefile.page."): said for code, said in i18n.catalogue(language).items() if code.startswith("casefile.page.")}


def _moment(at: dt.datetime | None, language: str) -> str:
    return forms_text.moment(at, language) if at else ""


def _base64(content: str) -> str:
    return b64encode(hashlib.sha256(content.encode()).digest()).decode()
