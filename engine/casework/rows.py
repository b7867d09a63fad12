"""The rows that happenings become, whoever asks: the act that writes them (`instances`), or a replay that says what they were (`instants`)."""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.actors import authority
from engine.casework import diagrams
from engine.identity import derived_id, new_id
from engine.pathway import bpmn

LANES = {"OTE": "OTE", "CPS": "CPS", "ANETI": "ANETI", "Partenaires": "PART"}
# The stage that a person sees, by the process whose task is open.
STAGES = {"signalement": "accueil", "attente_arrivee": "accueil", "accueil": "accueil", "parcours": "accueil", "evaluation": "evaluation", "plan": "evaluation", "suivi": "suivi", "visite": "suivi", "cloture": "cloture"}
STAGE_ORDER = ("accueil", "evaluation", "accompagnement", "suivi", "cloture")
# Messages that only the person can cause: a paper handed in, an arrival.
FROM_THE_PERSON = frozenset({"piece.recue", "signalement.arrivee"})
# What may end a wait and nobody waits for: an aid given up.
_NEVER_AWAITED = frozenset({"aide.abandonnee"})


class Rows:
    """The rows that the happenings of one act become. A task or wait opened and closed within it leaves none. `change`: the act, with what it holds (`held`), when (`at`),
    what it did (`done`) and when its tasks are due (`due`); what it holds is told how and when it ended, where it does."""

    def __init__(self, change: Any) -> None:
        self.change, self.held = change, change.held
        self.opened: list[dict[str, Any]] = []
        self.closed = [done["task_id"] for done in change.done]
        self.cancelled: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.waits: list[dict[str, Any]] = []
        self.waits_closed: list[str] = []
        self.incidents: list[dict[str, Any]] = []
        self.mended: list[str] = []

    def take(self, happening: Any) -> None:
        held = self.held
        match happening:
            case bpmn.TaskOpened():
                self.opened.append(self._task(happening))
            case bpmn.TaskClosed(task_id=position, outcome=outcome):
                task_id = str(derived_id(held.instance_id, position))
                before = len(self.opened)
                self.opened = [row for row in self.opened if row["task_id"] != task_id]
                if len(self.opened) == before and task_id not in self.closed:
                    self.closed.append(task_id)
                    if outcome not in ("completed", "moved"):  # a task that an edition does not have any more was not called off: its move may be undone
                        self.cancelled.append({"task_id": task_id, "node": getattr(happening, "node", ""), "outcome": outcome, "done_by": None, "key": "", "digest": ""})
            case bpmn.MessageSent():
                self.messages.append({"message_id": str(new_id()), "name": happening.name, "correlation": str(happening.correlation or ""), "payload": plain(happening.payload)})
            case bpmn.WaitOpened():
                self.waits.append(
                    {"position": happening.wait_id, "node": happening.node, "kind": happening.kind, "name": happening.name or "",
                     "correlation": str(happening.correlation or ""), "labels": held.edition.definitions.labels(happening.node), "due_at": instant(happening.due_at),
                     "awaits": awaited(happening, diagrams.listening(held.edition))}
                )  # fmt: skip
            case bpmn.WaitClosed(wait_id=position):
                before = len(self.waits)
                self.waits = [row for row in self.waits if row["position"] != position]
                if len(self.waits) == before:
                    self.waits_closed.append(position)
            case bpmn.IncidentRaised():
                self.incidents.append(
                    {"incident_id": str(derived_id(held.instance_id, f"incident {held.seq} {happening.incident_id}")), "position": happening.incident_id,
                     "node": happening.node, "code": happening.code, "details": plain(happening.details)}
                )  # fmt: skip
            case bpmn.IncidentClosed(incident_id=position):
                before = len(self.incidents)
                self.incidents = [row for row in self.incidents if row["position"] != position]
                if len(self.incidents) == before:
                    self.mended.append(position)
            case bpmn.Ended(outcome=outcome):
                held.status, held.outcome, held.ended_at = "ended", outcome or "", self.change.at

    def _task(self, happening: bpmn.TaskOpened) -> dict[str, Any]:
        held = self.held
        agency = LANES.get(happening.lane or "", happening.lane or "OTE")
        holder = in_hand(held, happening.role)
        stage = held.stage if happening.process in held.edition.definitions.beside else STAGES.get(happening.process, "accompagnement")
        return {
            "task_id": str(derived_id(held.instance_id, happening.task_id)), "position": happening.task_id, "process": happening.process, "node": happening.node,
            "names": held.edition.definitions.labels(happening.node, happening.process), "kind": happening.kind, "form": happening.form or "", "subject": happening.subject or "",
            "subjects": list(happening.scope or ()), "agency": agency, "branch": authority.branch_of_task(happening.role or "", held.branch), "role": happening.role or "",
            "holder_id": str(holder) if holder else None, "due_at": instant(self.change.due(happening)), "stage": stage,
            "apart": apart(held.edition.definitions, happening.distinct),
        }  # fmt: skip

    def notices(self) -> list[dict[str, Any]]:
        """What tells whoever a task just opened for, by the diagram or by another's act; not whoever did what opened it."""
        doer = str(self.change.actor.user_id or "")
        return [
            {"notice_id": str(new_id()), "user_id": row["holder_id"], "branch": row["branch"], "task_id": row["task_id"], "details": ({"by": doer} if doer else {}) | {"task": row["names"]}}
            for row in self.opened if row["holder_id"] not in (None, doer)
        ]  # fmt: skip

    def stage(self) -> str:
        """The earliest stage among the tasks just opened; where none was, the case stays where it stood."""
        stages = [row["stage"] for row in self.opened]
        return min(stages, key=STAGE_ORDER.index) if stages else self.held.stage


def in_hand(held: Any, role: str | None) -> Any:
    """In whose hands a task of a role opens: the case owner's, the social worker's; None for whoever comes first."""
    return held.referent_id if role == "referent" else held.social_worker_id if role == "travailleur_social" else None


def plain(value: Any) -> Any:
    """A FEEL value as JSON: numbers and dates become text that reads back as they were."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    return str(value) if not hasattr(value, "isoformat") else value.isoformat()


def instant(value: Any) -> str | None:
    return value.isoformat() if value else None


def apart(definitions: Any, distinct: Iterable[str]) -> dict[str, dict[str, str]]:
    """The names of what a task is kept apart from; marked, where that is to have begun what it is a task of."""
    return {node: definitions.labels(node) | ({"begun": "yes"} if node in definitions.begun_by_hand else {}) for node in distinct}


def awaited(wait: bpmn.WaitOpened, listening: frozenset[str]) -> str:
    """Who or what the case waits for: `person` for what she alone can cause; `message` or `date` where it stands still for one; "" where the diagram only listens
    (a boundary event, an event sub-process)."""
    if wait.kind == "message" and wait.name in FROM_THE_PERSON:
        return "person"
    if wait.node in listening or wait.kind == "signal" or wait.name in _NEVER_AWAITED:
        return ""
    return "message" if wait.kind == "message" else "date"
