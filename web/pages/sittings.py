"""A sitting on one screen: the files of its agenda at the side with their state, one of them in the middle with its pieces, its vote at the bottom.

Whatever is answered goes through the file's own task (`pages.task.obey`): there is no second way to complete one, and what is typed is its draft.
"""

from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine import errors
from engine.casework import sittings, tasks
from engine.casework.views import TaskView
from forms.form import Form
from web import layout, widgets
from web.dependencies import Acting, OnScreen, Posted, Reading, field
from web.pages import task as task_page
from web.screen import Screen
from web.typed import Typed

router = APIRouter()
_MARKS = {"todo": ("due", "pencil"), "study": ("calm", "hourglass-split"), "decide": ("calm", "hourglass-split"), "day": ("calm", "clock"), "listed": ("calm", "inbox"),
          "decided": ("good", "check-circle"), "put_off": ("calm", "arrow-left-right"), "withdrawn": ("calm", "x-lg")}  # fmt: skip
_VOTES, _RECUSED, _AWAY = sittings.VOTES, "recusation", "absent"
_OF_PRESENT = ("agence", "nom", "qualite")


@router.get("/sittings")
def listed(screen: OnScreen, actor: Acting, session: Reading) -> Response:
    """The sittings that run, then those that are over."""
    return screen.show("sittings/list.html", sittings=sittings.listed(session, actor))


@router.get("/sittings/{sitting_id}")
def begin(screen: OnScreen, actor: Acting, session: Reading, sitting_id: UUID) -> Response:
    """The reader's first file; the sitting alone where there is none yet."""
    sitting = sittings.show(session, actor, sitting_id)
    first = sitting.first()
    return _file(screen, actor, session, sitting, first) if first else screen.show("sittings/page.html", **_around(screen, sitting, None), task=None, shown=None, pieces=(), focus="", errors=())


@router.get("/sittings/{sitting_id}/{aid_id}")
def show(screen: OnScreen, actor: Acting, session: Reading, sitting_id: UUID, aid_id: UUID) -> Response:
    """One file of it: its task where the reader may see one, with what she was typing; else what is known of it."""
    sitting = sittings.show(session, actor, sitting_id)
    return _file(screen, actor, session, sitting, sitting.file(str(aid_id)))


@router.post("/sittings/{sitting_id}/{aid_id}")
def act(request: Request, screen: OnScreen, actor: Acting, form: Posted, sitting_id: UUID, aid_id: UUID) -> Response:
    """Any button of the file's form: the task's own, or one that fills the ballot. Once it is done, the next file of hers."""
    try:
        task_id = UUID(field(form, "task", 40))
    except ValueError as wrong:
        raise errors.NotFound("task.not_found") from wrong
    return task_page.obey(request, screen, actor, form, task_id, _place(screen, actor, sitting_id, str(aid_id)))


def _place(screen: Screen, actor: Any, sitting_id: UUID, aid_id: str) -> task_page.Place:
    def around(session: Any, task: TaskView) -> dict[str, Any]:
        sitting = sittings.show(session, actor, sitting_id)
        file = sitting.file(aid_id)
        return _around(screen, sitting, file) | {"pieces": sittings.pieces(session, actor, file), "has_ballot": _has_ballot(task)}

    def known(session: Any, _task: TaskView) -> Form | None:
        """The whole file: a sitting's own tasks know of it only what is the aid's."""
        return sittings.known(session, actor, sittings.show(session, actor, sitting_id).file(aid_id))

    def onward(session: Any, task: TaskView | None, _done: Any) -> Response:
        sitting = sittings.show(session, actor, sitting_id)
        following, number = sitting.first(aid_id), sitting.file(aid_id).number
        address = f"/sittings/{sitting_id}/{following.aid_id}" if following else f"/sittings/{sitting_id}"
        return screen.go(address, "file_done" if task else "", name=task.name if task else "", number=number or sitting.number)

    return task_page.Place(f"/sittings/{sitting_id}/{aid_id}", "sittings/page.html", around, known, {"ballot": partial(_ballot, screen), "unanimous": partial(_unanimous, screen)}, onward)


def _file(screen: Screen, actor: Any, session: Any, sitting: sittings.Sitting, file: sittings.FileRow) -> Response:
    place = _place(screen, actor, sitting.sitting_id, file.aid_id)
    if file.task_id is not None:
        try:
            draft = tasks.view(session, actor, file.task_id).draft
            correcting = set((draft or {}).get("correcting", ()))
            task, typed = tasks.view(session, actor, file.task_id, correcting), Typed.of_draft(draft)
            if "complete" in task.may and not typed.has(_VOTES):
                _ballot(screen, session, task, typed)
            return task_page.page(screen, session, task, typed, correcting, place)
        except errors.NotFound:
            pass  # another lane's task, in a case that is not hers to read
    known = sittings.known(session, actor, file)
    shown = layout.layout(known, "", Typed({}), (), screen.words) if known else None
    return screen.show("sittings/page.html", **_around(screen, sitting, file), pieces=sittings.pieces(session, actor, file), task=None, shown=shown, focus="", errors=())


def _around(screen: Screen, sitting: sittings.Sitting, file: sittings.FileRow | None) -> dict[str, Any]:
    """What stands around a file, and the ways to the ones before and after it."""
    place = file.place - 1 if file else 0
    files = sitting.files
    before, after = files[place - 1] if file and place else None, files[place + 1] if file and place + 1 < len(files) else None
    waiting = sitting.first(file.aid_id if file else "")
    return {"sitting": sitting, "file": file, "marks": _MARKS, "before": before, "after": after,
            "next_mine": waiting if waiting and waiting.state == "todo" and waiting != file else None}  # fmt: skip


def _ballot(screen: Screen, session: Any, task: TaskView, typed: Typed) -> str:
    """A row for each member present, whose vote is left to say; whoever's agency declared a conflict is recused. The present are those of the page, else of the sitting."""
    seats = sittings.ballot(task.form, _typed(screen, session, task, typed))
    if not seats:
        return ""
    cast = {(typed.one(f"{row}.vote.agence"), typed.one(f"{row}.vote.nom")): typed.one(f"{row}.vote.vote") for row in typed.rows(_VOTES)}
    typed.forget(_VOTES)
    for seat in seats:
        row = typed.add_row(_VOTES)
        typed.put(f"{row}.vote.agence", seat.agency)
        typed.put(f"{row}.vote.nom", seat.name)
        typed.put(f"{row}.vote.vote", _RECUSED if seat.is_recused else cast.get((seat.agency, seat.name), ""))
    return _VOTES


def _has_ballot(task: TaskView) -> bool:
    return any(one.spec.id == _VOTES for one in task.form.questions())


def _unanimous(screen: Screen, session: Any, task: TaskView, typed: Typed) -> str:
    """Every member for, who is neither recused nor away: the quorum is there, and what was proposed is granted. Nothing is done yet: it stands in the form, to be looked at."""
    _ballot(screen, session, task, typed)
    for row in typed.rows(_VOTES):
        if typed.one(f"{row}.vote.vote") not in (_RECUSED, _AWAY):
            typed.put(f"{row}.vote.vote", "pour")
    typed.put("aide.quorum_reuni", "true")
    typed.put("aide.decision", "accorde")
    proposed = next((one for one in task.form.known if one.spec.id == "aide.montant_propose" and not one.is_hidden), None)
    if proposed is not None and not typed.one("aide.montant_accorde"):
        typed.put("aide.montant_accorde", widgets.written("money", proposed.value))
    return _VOTES


def _typed(screen: Screen, session: Any, task: TaskView, typed: Typed) -> list[dict[str, str]] | None:
    """Who is present by what stands in the page, typed or ticked; None where the page does not say."""
    ticked = typed.ticked(sittings.PRESENT)
    ready = [one for one in task_page.ready_rows(session, task, screen.words).get(sittings.PRESENT, ()) if one.key in ticked]
    rows = [{name: typed.one(f"{row}.presence.{name}") for name in _OF_PRESENT} for row in typed.rows(sittings.PRESENT)]
    return [{name: one.cells[f"presence.{name}"] for name in _OF_PRESENT} for one in ready] + rows or None
