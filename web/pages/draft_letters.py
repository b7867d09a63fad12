"""The letter editor: a letter of a draft written as a letter is, in French and Arabic side by side; beside it the letter as it would be written, of made-up
answers, in both languages and on paper, and what the judge says of it.

Every button posts to one address with its `act` and what is open; each post is a save of the whole file made from the version that the page showed.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import Response

from engine import clock, errors, i18n
from engine.casework import drafts, form_drafts, letter_drafts, publication
from engine.i18n import pick
from forms import editing, letter_editing, letter_files
from forms.letter import BOTH
from web import printing
from web.dependencies import Acting, OnScreen, Posted, Reading, Writing, field
from web.pages.draft import as_text, retyped
from web.screen import Screen
from web.typed import Typed

router = APIRouter()
CLASSES = "COSEPFHR"  # who may read it, as of a field
_LONGEST = 10_000  # of one text
_SHORT = 40  # letters by which a block is called
_BLOCKS, _KINDS = ("text", "heading", "rows", "list", "table"), ("basis", "signature")
_MAKE = ("add", "line", "choice")  # what is made is where one goes on
_ROWS = "rows"  # a value that is lines
_FREE = "="  # before what a line shows that is no name


@router.post("/drafts/{draft_id}/letters")
def begin(screen: OnScreen, actor: Acting, session: Writing, form: Posted, draft_id: UUID) -> Response:
    """A new letter, empty but for its name and title."""
    class_, titles = field(form, "class", 1), {language: field(form, f"title-{language}", 200) for language in i18n.LANGUAGES}
    return screen.go(f"/drafts/{draft_id}/letters/{letter_drafts.begin(session, actor, draft_id, field(form, 'letter', 80), class_ if class_ in CLASSES else CLASSES[0], titles)}")


@router.get("/drafts/{draft_id}/letters/{name}")
def show(screen: OnScreen, actor: Acting, session: Reading, draft_id: UUID, name: str, sample: int = 1, element: str = "") -> Response:
    """The editor of one letter; what stands around every letter is a text only. `element`: what a finding is about, opened at first."""
    whole, path = drafts.show(session, actor, draft_id), f"{letter_drafts.LETTERS}{name}"
    try:
        sheet = letter_drafts.sheet(whole, name)
    except errors.NotFound:
        return screen.go(f"/drafts/{draft_id}/files/{path}")
    if as_text(whole.files[path]) is None:
        return screen.go(f"/drafts/{draft_id}/files/{path}")
    return _page(screen, session, whole, sheet, letter_editing.place_of(f"#{element[:200]}") if element else "", _within(sample), Typed())


@router.post("/drafts/{draft_id}/letters/{name}")
def act(screen: OnScreen, actor: Acting, session: Writing, form: Posted, draft_id: UUID, name: str) -> Response:
    """Any button or change of the editor: what is typed is read, the act done, the file saved."""
    path, place, (wanted, _, on) = f"{letter_drafts.LETTERS}{name}", field(form, "open", 20), field(form, "act", 200).partition(":")
    typed, said = field(form, "version", 10), form.get("f-raw")
    version, again, is_refused = int(typed) if typed.isascii() and typed.isdigit() else 0, Typed.of_post(form), False
    letter_drafts.sheet(drafts.show(session, actor, draft_id), name)
    if isinstance(said, str):
        saved = drafts.save(session, actor, draft_id, path, retyped(session, actor, draft_id, path, said), version)
        place = "" if wanted == "close" else place
    else:
        content = form_drafts.content_as_of(session, actor, draft_id, path, version, letter_editing.fits)
        sheet = letter_drafts.sheet(drafts.show(session, actor, draft_id), name)
        _take(content, place, form, sheet)
        place = _do(content, place, wanted, on, form)
        is_refused = wanted == "work" and not letter_drafts.work_out(sheet, content, again.one("f-worked"))
        if wanted == "work" and not is_refused:
            again.pairs.pop("f-worked")
        saved = form_drafts.save(session, actor, draft_id, path, content, version)
    whole = drafts.show(session, actor, draft_id)
    return _page(screen, session, whole, letter_drafts.sheet(whole, name), "" if saved.conflict else place, _sample(form), again, saved, is_refused, place if wanted in _MAKE else "")


@router.get("/drafts/{draft_id}/letters/{name}/findings")
def findings(screen: OnScreen, actor: Acting, session: Reading, draft_id: UUID, name: str) -> Response:
    """What the judge of the whole edition says of this letter."""
    whole = drafts.show(session, actor, draft_id)
    return screen.show("form_editor/_judged.html", **_judged(screen, whole, letter_drafts.sheet(whole, name), publication.findings(whole)))


@router.get("/drafts/{draft_id}/letters/{name}/paper")
def paper(actor: Acting, session: Reading, draft_id: UUID, name: str, sample: int = 1) -> Response:
    """The letter on paper, of made-up answers."""
    content = letter_drafts.compose(session, drafts.show(session, actor, draft_id), name, _within(sample))
    headers = {"content-disposition": f'inline; filename="{name.removesuffix(".toml")}.pdf"'}
    return Response(printing.pdf(content, clock.now(session)), media_type="application/pdf", headers=headers)


def _judged(screen: Screen, whole: drafts.Whole, sheet: letter_drafts.Sheet, judged: Sequence[errors.Finding]) -> dict[str, Any]:
    about = [one for one in judged if one.where.partition("#")[0] in (sheet.name, sheet.path)]
    address = f"/drafts/{whole.draft.draft_id}/letters/{sheet.name}"
    return {"draft": whole.draft, "judged": screen.findings(about), "well": "letter_editor.judged_well", "address": address, "others": len(judged) - len(about), "tasks": {}}


def _do(content: letter_editing.Content, place: str, wanted: str, on: str, form: FormData) -> str:
    """Does an act on the content; what is open afterwards."""
    acts: dict[str, Callable[[], Any]] = {
        "open": lambda: on, "close": lambda: on.rpartition("-")[0], "up": lambda: letter_editing.move(content, on, -1), "down": lambda: letter_editing.move(content, on, 1),
        "remove": lambda: letter_editing.remove(content, on), "add": lambda: letter_editing.add(content, on, place), "line": lambda: letter_editing.add_line(content, on, place),
        "choice": lambda: letter_editing.add_choice(content, on), "column": lambda: letter_editing.add_column(content, on, field(form, f"{on}-new", 60)),
        "insert": lambda: letter_editing.insert(content, place, field(form, "f-name", 130), {one: _caret(form, one) for one in BOTH}),
    }  # fmt: skip
    if wanted not in acts or (wanted == "add" and on not in (*_BLOCKS, *_KINDS)):
        return place
    if wanted == "insert" and not (field(form, "f-name", 130) and letter_editing.has(content, place) and place not in (letter_editing.HEAD, letter_editing.RAW)):
        return place
    made = acts[wanted]()
    if wanted in ("up", "down"):
        return str(made) if place == on else on.rpartition("-")[0]
    return place if wanted in ("insert", "column") or on.startswith("v-") else on.rpartition("-")[0] if wanted == "remove" else str(made)


def _caret(form: FormData, language: str) -> int | None:
    written = field(form, f"caret-{language}", 6)
    return int(written) if written.isascii() and written.isdigit() else None


def _take(content: letter_editing.Content, place: str, form: FormData, sheet: letter_drafts.Sheet) -> None:
    """Reads what was typed: the texts of every place, and the condition of the one that is open."""
    for key, languages in (("title", i18n.LANGUAGES), ("object", BOTH), ("addressee", BOTH)):
        label = content.get(key, {})
        _said(label, f"f-{key}", languages, form)
        if key == "title" or any(label.values()):
            content[key] = label
        else:
            content.pop(key, None)
    for name, worked in content.get("values", {}).items():
        _said(label := worked.get("label", {}), f"v-{name}", BOTH, form)
        worked |= {"label": label} if any(label.values()) else {}
        _worked(worked, f"v-{name}", form)
        for column in worked.get("columns", {}) if worked.get("type") == _ROWS else ():
            worked["columns"][column] = field(form, f"v-{name}.{column}-type", 10) or worked["columns"][column]
        if worked.get("type") != _ROWS:
            worked.pop("columns", None)
    for where in letter_editing.places(content):
        label, lines = letter_editing.said(content, where), letter_editing.lines(letter_editing.at(content, where)) if where.startswith("b") else []
        if label is not None:
            _said(label, where, BOTH, form)
        for number, line in enumerate(lines):
            _line(content, f"{where}-{number}", line, form)
    if place.startswith("b") and letter_editing.has(content, place):
        for key in ("when", "where", "each"):
            if f"f-{key}" in form:
                _weighs(letter_editing.at(content, place), key, _text(form, f"f-{key}"), form, letter_drafts.weighed(sheet, place))


def _weighs(table: letter_editing.Content, key: str, said: str, form: FormData, of: Mapping[str, Any]) -> None:
    """A condition or the list of a block; one without a word is taken out, but for a list, which is yet to be chosen."""
    if key == "when" and field(form, "act", 200) == "condition" and (spec := of.get(field(form, "f-of", 100))):
        made = editing.condition(spec, field(form, "f-is", 10), field(form, "f-value", 200))
        said = f"{said} and {made}" if said and made else made or said
    if said.strip() or key == "each":
        table[key] = said
    else:
        table.pop(key, None)


def _line(content: letter_editing.Content, where: str, line: letter_editing.Content, form: FormData) -> None:
    """A column or a particular: its label, what it shows and how."""
    _said(line.setdefault("label", {}), where, BOTH, form)
    _said(line.get("text", {}), f"{where}-text", BOTH, form)
    for number, choice in enumerate(line.get("choose", ())):
        _said(choice.setdefault("text", {}), f"{where}-{number}", BOTH, form)
    _worked(line, where, form)
    shows = field(form, f"{where}-shows", 130)
    turned, name = (shows.removeprefix(_FREE), "") if shows.startswith(_FREE) else ("value", shows)
    if f"{where}-shows" in form and turned in letter_editing.TURNS and (turned, name) != (letter_editing.turned(line), line.get("value", "")):
        letter_editing.turn(content, where, turned, name)


def _worked(table: letter_editing.Content, where: str, form: FormData) -> None:
    """How a value is worked out and written; a calculation is never emptied."""
    table |= {key: _text(form, f"{where}-{key}") for key in ("feel", "type") if field(form, f"{where}-{key}", 4000).strip() not in ("", table.get(key))}


def _said(label: dict[str, str], name: str, languages: Sequence[str], form: FormData) -> None:
    """What was typed of a label; a text of which only the spaces at its ends differ stays as it is written in the file once a button is pressed."""
    for language in languages:
        if (key := f"{name}-{language}") in form and not (form.get("act") and _text(form, key) == label.get(language, "").strip()):
            label[language] = _text(form, key)


def _text(form: FormData, name: str) -> str:
    """What was typed; while typing goes on (no button was pressed) the space at its end stays too, for the next word."""
    value = form.get(name)
    plain = value.replace("\r\n", "\n")[:_LONGEST] if isinstance(value, str) else ""
    return plain.strip() if form.get("act") else plain


def _page(
    screen: Screen, session: Any, whole: drafts.Whole, sheet: letter_drafts.Sheet, place: str, sample: int, typed: Typed, saved: drafts.Saved | None = None, is_refused: bool = False, made: str = "",
) -> Response:  # fmt: skip
    try:
        composed: Any = letter_drafts.compose(session, whole, sheet.name, sample)
        broken = []
    except errors.Invalid as refused:
        composed, broken = None, screen.findings(refused.findings)
    content, last, known = sheet.content, whole.saves.get(sheet.path), publication.judged_already(whole)
    place = place if content is not None and letter_editing.has(content, place) else letter_editing.RAW if content is None else ""
    wrong = {where: [("", screen.sentence(one)) for one in found] for where, found in sheet.problems.items()}
    conflict = saved.conflict if saved else None
    is_open = content is not None and place not in ("", letter_editing.HEAD, letter_editing.RAW)
    weighed = letter_drafts.weighed(sheet, place) if place.startswith("b") else {}
    return screen.show(
        "letter_editor/page.html", 409 if conflict else 200, {"hx-trigger-after-settle": "judge"} if saved and known is None else None, sheet=sheet, place=place,
        version=last.version if last else 0, wrong=wrong, may_save="save" in whole.draft.may, written=as_text(whole.files[sheet.path]) or "", composed=composed, broken=broken, sample=sample,
        kinds=letter_files.WORKED, samples=range(1, letter_drafts.MOST + 1), lists=_lists(screen, sheet, wrong) if content is not None else {}, names=_names(screen, sheet, place) if is_open else [],
        earlier=[{"field": name, "label": pick(one.label, screen.language)} for name, one in weighed.items()], of=weighed.get(typed.one("f-of")), unusable=is_refused, made=made,
        choosable=[(one, _word(screen, sheet, one)) for one in letter_drafts.lists(sheet)] if is_open else [], turns=[f"{_FREE}{one}" for one in letter_editing.TURNS[1:]], tests=editing.TESTS, typed=typed,
        conflict=screen.refusal(conflict.code, conflict.details) if conflict else "", aside=saved.aside if saved else None,
        saved=screen.words.text("task.saved_at", time=screen.words.time(clock.now(session))) if saved and not conflict else "",
        **(_judged(screen, whole, sheet, known) if known is not None else {"draft": whole.draft, "judged": None, "address": f"/drafts/{whole.draft.draft_id}/letters/{sheet.name}"}),
    )  # fmt: skip


def _lists(screen: Screen, sheet: letter_drafts.Sheet, wrong: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Blocks, texts of law and signatures, each as the page shows it."""
    content: Any = sheet.content
    made: dict[str, list[dict[str, Any]]] = {key: [] for key in letter_editing.LISTS.values()}
    for where in letter_editing.places(content):
        table, label, key = letter_editing.at(content, where), letter_editing.said(content, where), letter_editing.LISTS[where[0]]
        block = table if key == "block" else {}
        kind = key if key != "block" else "heading" if "heading" in block else "list" if "each" in block and label is not None else "text" if label is not None else "table" if "each" in block else "rows"
        each = block.get("each", "")
        made[key].append({
            "place": where, "kind": kind, "what": _called(screen, kind, where, label), "said": label, "when": block.get("when", ""), "where": block.get("where", ""), "listed": each,
            "each": _word(screen, sheet, each) if each else "", "wrong": wrong.get(where, ()), "facts": _facts(screen, sheet, label, each),
            "lines": [_shown(screen, sheet, f"{where}-{number}", one, each, wrong) for number, one in enumerate(letter_editing.lines(block))],
        })  # fmt: skip
    return made


def _called(screen: Screen, kind: str, where: str, label: Any) -> str:
    """A place by its kind, its number and how it begins, for whoever hears the page."""
    short = " ".join((pick(label, screen.language) if label else "").split())[:_SHORT]
    return f"{screen.words.text(f'letter_editor.kind.{kind}')} {int(re.findall(r'[0-9]+', where)[-1]) + 1}{f' — {short}' if short else ''}"


def _facts(screen: Screen, sheet: letter_drafts.Sheet, label: Any, each: str) -> list[tuple[str, str]]:
    return [(one, _word(screen, sheet, one, each)) for one in sorted(letter_editing.named(label))] if label else []


def _shown(screen: Screen, sheet: letter_drafts.Sheet, where: str, line: Mapping[str, Any], each: str, wrong: Mapping[str, Any]) -> dict[str, Any]:
    """A column or a particular as the page shows it: what it shows in words, and its texts."""
    what = _called(screen, "column" if each else "particular", where, line.get("label"))
    shows = screen.words.text("format.comma").join(f" {_word(screen, sheet, one, each)}" for one in sorted(letter_editing.named({key: line[key] for key in line if key != "label"}))).strip()
    choices = [{"place": f"{where}-{number}", "kind": "choice", "what": f"{what}{screen.words.text('format.comma')} {_called(screen, 'choice', f'-{number}', one.get('text'))}", "said": one.get("text", {}),
                "when": one.get("when", ""), "where": "", "each": "", "facts": _facts(screen, sheet, one.get("text"), each), "wrong": ()} for number, one in enumerate(line.get("choose", ()))]  # fmt: skip
    return {"place": where, "what": what, "label": line.get("label", {}), "shows": shows or str(line.get("feel", "")), "turned": letter_editing.turned(line), "line": line, "choices": choices,
            "wrong": wrong.get(where, ()), "facts": _facts(screen, sheet, line.get("text"), each)}  # fmt: skip


def _word(screen: Screen, sheet: letter_drafts.Sheet, name: str, each: str = "") -> str:
    """A name in the reader's words; as it is where nobody gave it any."""
    code = f"web.letter_editor.given.{name}"
    return letter_drafts.label(sheet, name, screen.language, each) or (i18n.translate(code, screen.language) if code in i18n.catalogue(screen.language) else name.removeprefix("item."))


def _names(screen: Screen, sheet: letter_drafts.Sheet, place: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """What may be set into the text that is open, by group: each name with its words."""
    content: Any = sheet.content
    each = letter_editing.each(content, place)
    groups = sheet.dictionary.groups
    return [
        (pick(groups[group].label, screen.language) if group in groups else screen.words.text(f"letter_editor.names.{group}"), [(one, _word(screen, sheet, one, each)) for one in inside])
        for group, inside in letter_drafts.names(sheet, place) if inside
    ]  # fmt: skip


def _sample(form: FormData) -> int:
    written = field(form, "sample", 2)
    return _within(int(written) if written.isascii() and written.isdigit() else 1)


def _within(sample: int) -> int:
    return min(max(sample, 1), letter_drafts.MOST)
