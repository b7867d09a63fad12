"""The case page: who has the ball since when, what comes next, where it stands on its diagram, what is known, what happened."""

import json
import secrets
from collections.abc import Iterable
from itertools import groupby
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from engine import i18n, identity
from engine.actors import agencies, authority
from engine.casework import appointments, case_notes, cases, corrections, diagrams, editions, exceptions, holders, incidents, movable, pieces, readers
from engine.casework.views import Candidate, CaseFile, KnownFact
from engine.dossier import documents, programmes
from web import ball, sentences, widgets
from web.dependencies import Acting, OnScreen, Reading
from web.screen import Screen

router = APIRouter()
TABS = {"overview": "house-door", "diagram": "diagram-3", "known": "list-check", "aid": "cash-coin", "documents": "file-earmark", "notes": "pencil", "history": "clock-history"}
_LATEST = 5
_LOOKED_AT = 25  # lines read for them: reminders fold
_OF_THE_ROAD = ("case.started", "operation.done")  # what follows of itself from an act: the whole history tells it


@router.get("/cases/{case_id}")
def show(screen: OnScreen, actor: Acting, session: Reading, case_id: UUID, tab: str = "overview", process: str = "", cursor: str = "") -> Response:
    """One tab of the case; the head is the same on each."""
    return drawn(screen, actor, session, case_id, tab, process, cursor)


def drawn(screen: Screen, actor: Any, session: Any, case_id: UUID, tab: str, process: str = "", cursor: str = "", *, status: int = 200, typed: Any = None) -> Response:
    """The page of one tab. `typed`: a note or a paper that was refused, with why."""
    offered = {name: picture for name, picture in TABS.items() if name != "notes" or actor.agency != agencies.PARTNERS}
    chosen = tab if tab in offered else "overview"
    file = cases.file(session, actor, case_id)
    edition = diagrams.edition_of(session, actor, case_id)
    broken = incidents.open_ones(session, actor, case_id) if authority.may(actor, "incident.read") else []
    held = ball.ball(file.waiting, screen.words, file.known)
    names = diagrams.labels_since(session, case_id, edition, screen.language)
    may_correct = authority.may(actor, "repair.do", branch=file.branch)
    part = {
        "overview": lambda: {"ahead": diagrams.ahead(edition, file, screen.language), "appointments": appointments.of_case(session, actor, case_id),
                             "may_meet": authority.may(actor, "appointment.write", branch=file.branch), "may_open_receipt": authority.may(actor, "receipt.open", branch=file.branch),
                             "secret_since": holders.secret_since(session, case_id), **_history(screen, actor, session, file, names, "", _LOOKED_AT, _LATEST)},
        "diagram": lambda: _diagram(screen, session, edition, file, process, {found.node for found in broken}),
        "known": lambda: {"sections": _sections(screen, edition, (fact for fact in file.known if fact.group not in ("aide", "note"))), "may_correct": may_correct},
        "aid": lambda: {"sections": _sections(screen, edition, (fact for fact in file.known if fact.group == "aide")), "may_correct": may_correct},
        "documents": lambda: _documents(screen, session, file, edition, typed),
        "notes": lambda: {"notes": case_notes.of_case(session, actor, case_id), "typed": {"text": "", "class_": "C", "named": [], "refused": "", "key": secrets.token_urlsafe(16), **(typed or {})}},
        "history": lambda: _history(screen, actor, session, file, names, cursor, 50),
    }[chosen]()
    return screen.show(
        "case/page.html", status, case=file, beside=exceptions.of_case(session, actor, case_id), now=programmes.present(session), tab=chosen, tabs=offered,
        ball=held, is_stopped=not (file.ended_at or held.hands or held.first) and incidents.is_stopped(session, case_id), moved=_moved(screen, actor, session, file, edition),
        incidents=[{"name": found.name, "sentence": screen.refusal(found.code, found.details)} for found in broken],
        may_see_consent=authority.may(actor, "consent.read", branch=file.branch) and file.process == "parcours",
        may_export=authority.may(actor, "casefile.export", branch=file.branch),
        may_tell_readers=authority.may(actor, "consultation.read", branch=file.branch),
        may_repair=authority.may(actor, "repair.read", branch=file.branch), may_audit=authority.may(actor, "audit.search"),
        ended_as=names.get(file.outcome) or _reason(screen, edition, file.outcome), parent=_parent(actor, session, file),
        process_name=i18n.pick(edition.definitions.processes[file.process].names, screen.language), **part,
    )  # fmt: skip


def _reason(screen: Screen, edition: editions.Edition, outcome: str) -> str:
    """That a case was closed on its way, and why, as its closure would name it."""
    reasons = edition.dictionary.fields.get("cloture.motif")
    return f"{screen.words.text('case.closed')}{screen.words.text('format.colon')} {reasons.choice_label(outcome, screen.language)}" if reasons and outcome in reasons.codes else ""


def _parent(actor: Any, session: Any, file: CaseFile) -> Candidate | None:
    """The case of the parent whose number was written, where it is the reader's to open."""
    said = next((one.value for one in file.known if one.field == "accueil.dossier_parent"), "")
    found = cases.search(session, actor, said) if said and authority.may(actor, "case.search") else ()
    return next((one for one in found if one.case_number == said and one.case_id != file.case_id), None)


def _moved(screen: Screen, actor: Any, session: Any, file: CaseFile, edition: editions.Edition) -> list[dict[str, Any]]:
    """What of the case was moved to another edition and may be put back, for whoever may."""
    processes = edition.definitions.processes
    return [dict(one) | {"name": i18n.pick(processes[one["process"]].names, screen.language) if one["process"] in processes else one["process"]}
            for one in movable.moved(session, actor, file.case_id)]  # fmt: skip


@router.get("/cases/{case_id}/diagram/{process}")
def drawing(actor: Acting, session: Reading, case_id: UUID, process: str, edition: str = "") -> Response:
    """The diagram as it was published, for the viewer in the page."""
    return Response(diagrams.xml(session, actor, case_id, process, identity.parse(edition)), media_type="application/xml", headers={"content-disposition": "attachment"})


def _diagram(screen: Screen, session: Any, edition: editions.Edition, file: CaseFile, process: str, broken: set[str]) -> dict[str, Any]:
    drawings = diagrams.of_case(session, edition, file, screen.language)
    shown = next((found for found in drawings if found.process == process), drawings[0])
    written = {"done_json": shown.done, "here_json": shown.here, "stopped_json": sorted(broken)}
    return {"drawings": drawings, "shown": shown, **{name: json.dumps(list(value)) for name, value in written.items()}}


def _documents(screen: Screen, session: Any, file: CaseFile, edition: editions.Edition, typed: Any) -> dict[str, Any]:
    """The papers and, for whoever answers for the data, who opened each; those that came and no answer names; and what may be brought."""
    actor = screen.actor
    found, came = [fact for fact in file.known if fact.document_id], [one for one in pieces.received(session, actor, file.case_id, edition.dictionary) if not one.is_used]
    kept = documents.kept(session, [*(fact.document_id for fact in found), *(str(one.document_id) for one in came)])
    typed = typed or {"kind": "", "title": "", "document": "", "refused": ""}
    carried = widgets.Widget("file", "document", "document", screen.words.text("piece.file"), "", value=typed["document"])
    return {"documents": found, "kept": kept, "opened": readers.of_documents(session, actor, file.case_id), "letters": file.letters, "received": came, "running_out": pieces.running_out(session, file.case_id),
            "may_bring": pieces.offered(session, actor, file.case_id), "carried": carried, "typed": typed}  # fmt: skip


def _sections(screen: Screen, edition: editions.Edition, facts: Iterable[KnownFact]) -> list[dict[str, Any]]:
    """What is known, by group; the rows of lists and the measures of a plan each under a title of their own."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for fact in facts:
        if edition.dictionary.fields[fact.field].type == "list":
            continue  # its rows are told one by one
        is_one_of_several = edition.dictionary.groups[fact.group].subject not in ("person", "return", "case")
        source = sentences.source(screen.words, fact.source, fact.recorded_at, fact.author, fact.author_agency)
        groups.setdefault((fact.group, fact.subject if is_one_of_several else ""), []).append({
            "label": fact.label, "value": fact.value, "source": source, "subject": fact.subject, "field": fact.field, "is_said_alone": corrections.is_said_alone(edition.dictionary.fields[fact.field]),
        })  # fmt: skip
    seen: dict[str, int] = {}
    sections = []
    for (group, subject), rows in groups.items():
        seen[group] = seen.get(group, 0) + 1
        title = i18n.pick(edition.dictionary.groups[group].label, screen.language)
        sections.append({"title": f"{title} {seen[group]}" if subject else title, "source": sentences.shared_source(rows), "facts": rows})
    return sections


def _history(screen: Screen, actor: Any, session: Any, file: CaseFile, names: dict[str, str], cursor: str, limit: int, most: int | None = None) -> dict[str, Any]:
    """Lines of the history; reminders that follow one another are one of them. `most`: how many are shown of those read."""
    if actor.agency == agencies.PARTNERS:
        return {"lines": [], "older": ""}
    found = cases.history(session, actor, file.case_id, cursor, limit)
    words = screen.words
    lines = []
    told = [one for one in found.items if most is None or one.kind not in _OF_THE_ROAD]
    for is_reminder, run in groupby(told, lambda one: one.kind in sentences.REMINDERS):
        if is_reminder:
            together = list(run)
            lines.append({"at": together[0].occurred_at, "sentence": sentences.reminders(words, together, names), "why": [], "act": ""})
        else:
            lines += [{"at": one.occurred_at, "sentence": sentences.happened(words, one, names), "why": sentences.why(words, one, names),
                       "act": f"/cases/{file.case_id}/why/{one.instance_id}/{one.seq}" if one.why else ""} for one in run]  # fmt: skip
    return {"lines": lines[:most], "older": f"/cases/{file.case_id}?tab=history&cursor={found.next}" if found.next else ""}
