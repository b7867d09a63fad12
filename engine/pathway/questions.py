"""Questions along the pathway: asked twice, asked of somebody who may not answer, asked of nobody.

A form never asks again what is known and fresh (`forms.form`), so naming a field in ten forms asks it once. It is asked twice all the same where two tasks
that are open together both ask it, and where two fields of one name do. An answer good for one act only (`P0D`) is meant to be asked anew; one form for two acts is said all the same.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import permutations
from typing import Any, Protocol

from engine.errors import Finding
from engine.pathway.definitions import Definitions
from engine.pathway.game import Game, games
from engine.pathway.naming import name_of, told
from engine.pathway.spiff.activities import PersonTask
from engine.pathway.spiff.elements import Element
from engine.pathway.walks import Walks
from forms.definitions import Ask, FormDefinition
from forms.dictionary import Dictionary, Field

ANYBODYS = "en_ligne"  # the form that somebody without an account answers
_ONCE = "P0D"
_MOST_LOOKED_AT = 20  # tasks of one form, of which each two are looked at
_SHARED = {"person", "return", "case"}  # subjects that two tasks of one case have in common, whatever each is about
_ACTS = {"signature", "doc"}  # given for one act: the same words, another thing
_OPEN = {"C", "O"}  # the classes of what anybody may be asked before anybody has met her
_LEFT_OUT = {"doc", "signature", "list"}  # what a page without account and without script does not take
_HEALTH = "H"  # said by the named social worker alone, whoever's form names it
_WITHOUT_LANE = "OTE"  # to whom casework gives a task that stands in no lane
AGENCY_OF_LANE = {"OTE": "OTE", "CPS": "CPS", "ANETI": "ANETI", "Partenaires": "PART"}


class Hands(Protocol):
    """What a role may do: in which agencies it is held, which classes it writes."""

    agencies: frozenset[str]
    writes: str


def check(definitions: Definitions, dictionary: Dictionary, forms: Mapping[str, FormDefinition], roles: Mapping[str, Hands]) -> list[Finding]:
    """All that is wrong with who is asked what, and when."""
    asking = _Asking(definitions, dictionary, forms)
    findings: list[Finding] = []
    for task in asking.tasks:
        findings += _hands(task, asking, roles)
    for element in definitions.nodes:
        if element.extensions.unforeseen is not None:
            findings += _begun(element, asking, roles)
    return findings + list(_of_anybody(asking)) + list(_together(asking)) + list(_twins(asking)) + list(_anew(asking))


class _Asking:
    """Which task asks which fields."""

    def __init__(self, definitions: Definitions, dictionary: Dictionary, forms: Mapping[str, FormDefinition]) -> None:
        self.definitions, self.fields, self.forms = definitions, dictionary.fields, forms
        self.walks = Walks(definitions)
        self.tasks = [element for element in definitions.nodes if isinstance(element, PersonTask)]

    def form(self, task: PersonTask) -> FormDefinition | None:
        note = task.extensions.task
        return self.forms.get(note.form) if note else None

    def asks(self, task: PersonTask) -> list[Ask]:
        form = self.form(task)
        return [ask for section in form.sections for ask in section.ask] if form else []

    def is_anybodys(self, form: str, field: Field, roles: Mapping[str, Hands]) -> bool:
        """Whether some role that fills in a form may answer a field: what is asked on a condition may be for one of several."""
        return any(field.class_ in roles[role].writes for role in self.fillers.get(form, ()) if role in roles)

    @cached_property
    def fillers(self) -> dict[str, set[str]]:
        """The roles that fill in each form."""
        found: dict[str, set[str]] = {}
        for note in (task.extensions.task for task in self.tasks):
            if note is not None:
                found.setdefault(note.form, set()).add(note.role)
        return found

    def subject(self, task: PersonTask) -> str:
        note = task.extensions.task
        return note.subject if note else ""


def _of_anybody(asking: _Asking) -> Iterator[Finding]:
    """What the form without account asks that it should not: papers, rows, or what concerns health, money, a case that nobody has opened."""
    form = asking.forms.get(ANYBODYS)
    for ask in (ask for section in form.sections for ask in section.ask) if form else ():
        field = asking.fields[ask.field]
        if field.class_ not in _OPEN or field.type in _LEFT_OUT or field.subject not in _SHARED:
            yield Finding("form.not_for_anybody", f"{ANYBODYS}.toml#{ask.field}", {"field": _named(field), "form": dict(form.title)})


def _hands(task: PersonTask, asking: _Asking, roles: Mapping[str, Hands]) -> Iterator[Finding]:
    note = task.extensions.task
    if note is None or not note.role:
        return  # found while reading
    details: dict[str, Any] = {"element": name_of(task), "role": note.role}
    role = roles.get(note.role)
    if role is None:
        yield Finding("check.role_unknown", task.place, details)
        return
    agency = AGENCY_OF_LANE.get(task.shown_lane, "")
    if not task.shown_lane:
        agency = _WITHOUT_LANE
        yield Finding("check.lane_missing", task.place, details | {"agency": agency}, severity="warning")
    if agency and agency not in role.agencies:
        yield Finding("check.role_elsewhere", task.place, details | {"lane": task.shown_lane or agency})
    asks = asking.asks(task)
    hers = [ask for ask in asks if asking.fields[ask.field].class_ in role.writes]
    for ask in asks:
        field = asking.fields[ask.field]
        if ask not in hers and agency and field.owner != agency and (ask.when is None or not asking.is_anybodys(note.form, field, roles)):
            severity = "warning" if field.class_ == _HEALTH else "error"
            more = {"field": _named(field), "id": field.id, "owner": field.owner, "form": dict(asking.forms[note.form].title)}
            yield Finding("form.not_hers", task.place, details | more, severity=severity)
    form = asking.form(task)
    if form is not None and not hers and not form.confirmation:
        yield Finding("form.asks_nothing", task.place, details | {"form": dict(form.title)})


def _begun(start: Element, asking: _Asking, roles: Mapping[str, Hands]) -> Iterator[Finding]:
    """What is begun from the page of a case: by roles that there are, with a form that there is, whose every question each of them may answer."""
    note = start.extensions.unforeseen
    assert note is not None
    form = asking.forms.get(note.form)
    if note.form and form is None:
        yield Finding("edition.form_unknown", start.place, {"form": note.form, "element": name_of(start)})
    for name in note.roles:
        role = roles.get(name)
        if role is None:
            yield Finding("check.role_unknown", start.place, {"element": name_of(start), "role": name})
            continue
        for ask in (ask for section in form.sections for ask in section.ask) if form else ():
            field = asking.fields[ask.field]
            if field.class_ not in role.writes:
                details = {"element": name_of(start), "role": name, "field": _named(field), "id": field.id, "owner": field.owner, "form": dict(asking.forms[note.form].title)}
                yield Finding("form.not_hers", start.place, details)


def _together(asking: _Asking) -> Iterator[Finding]:
    """Facts that two tasks open at once both ask."""
    told_of: set[tuple[str, str]] = set()
    for scope in asking.definitions.all_specs:
        game = next(games(scope)).play()
        pairs = [(game.elements[one], game.elements[other], marking) for (one, other), marking in game.together.items()]
        for one, other, marking in pairs:
            for here in asking.walks.people([one]):
                for there in asking.walks.people([other]):
                    for field in _common(asking, here, there):
                        if (field.id, game.scope.name) in told_of or _known_before(asking, game, {one, other}, field.id):
                            continue
                        told_of.add((field.id, game.scope.name))
                        path = told([*game.path(marking), here, there])
                        details = {"element": name_of(here), "other": name_of(there), "field": _named(field), "id": field.id, "path": path}
                        yield Finding("form.asked_together", here.place, details)


def _common(asking: _Asking, here: PersonTask, there: PersonTask) -> list[Field]:
    if here is there:
        return []
    theirs = {ask.field for ask in asking.asks(there)}
    shared = [asking.fields[ask.field] for ask in asking.asks(here) if ask.field in theirs]
    is_one = here.scope_spec.process == there.scope_spec.process and asking.subject(here) == asking.subject(there)
    return [field for field in shared if field.validity != _ONCE and field.type not in _ACTS and (is_one or field.subject in _SHARED)]


def _known_before(asking: _Asking, game: Game, both: set[Element], field_id: str) -> bool:
    """Whether every way to where both are open passes a task that asks the field: then it is known."""
    askers = {
        element.number
        for element in game.scope.elements
        if any(field_id in (ask.field for ask in asking.asks(task)) for task in asking.walks.people([element]))
    }
    askers -= {element.number for element in both}
    seen, waiting = set(), [marking for marking, (before, _) in game.came.items() if before is None]
    while waiting:
        marking = waiting.pop()
        if marking in seen or any(place[0] in askers for place in marking):
            continue
        seen.add(marking)
        if both <= {game.elements[place[0]] for place in marking}:
            return False
        waiting += [after for after in game.onward.get(marking, ()) if after in game.came]
    return True


def _twins(asking: _Asking) -> Iterator[Finding]:
    """Two fields of one name asked on one walk: to the person it is one question, put twice."""
    askers: dict[str, list[PersonTask]] = {}
    for task in asking.tasks:
        for ask in asking.asks(task):
            askers.setdefault(ask.field, []).append(task)
    named: dict[tuple[str, str, str], Field] = {}
    told_of: set[frozenset[str]] = set()
    for field in (asking.fields[one] for one in asking.fields if one in askers):
        if field.type in _ACTS or field.validity == _ONCE:
            continue
        for language, label in field.label.items():
            twin = named.setdefault((language, field.subject, " ".join(label.casefold().split())), field)
            pair = frozenset({twin.id, field.id})
            if twin is field or pair in told_of:
                continue
            told_of.add(pair)
            for first in askers[twin.id]:
                for second in askers[field.id]:
                    way = [first] if first is second else asking.walks.way(first, second) or asking.walks.way(second, first)
                    if way:
                        details = {"element": name_of(second), "field": _named(field), "id": field.id, "twin": twin.id, "path": told(way)}
                        yield Finding("form.asked_twice", second.place, details)
                        break
                else:
                    continue
                break


def _anew(asking: _Asking) -> Iterator[Finding]:
    """A form that a second task of one walk uses too, whose answers are good for one act only: they are asked anew, and the second stand in place of the first."""
    users: dict[tuple[str, ...], list[PersonTask]] = {}
    for task in asking.tasks:
        for field in (asking.fields[ask.field] for ask in asking.asks(task)):
            if field.validity == _ONCE and (form := asking.form(task)) is not None:
                of = () if field.subject in _SHARED else (task.scope_spec.process, asking.subject(task))
                users.setdefault((form.id, field.id, *of), []).append(task)
    told_of: set[str] = set()
    for (form_id, field_id, *_), tasks in users.items():
        for first, second in () if form_id in told_of else permutations(tasks[:_MOST_LOOKED_AT], 2):
            if way := asking.walks.way(first, second):
                told_of.add(form_id)
                details = {"element": name_of(second), "other": name_of(first), "field": _named(asking.fields[field_id]), "id": field_id, "path": told(way)}
                yield Finding("form.asked_anew", second.place, details, severity="warning")
                break


def _named(field: Field) -> Mapping[str, str]:
    return dict(field.label) or {"fr": field.id}
