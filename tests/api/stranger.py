"""A stranger: a client that knows the routes and JSON Schema, nothing of Masar, and leads any case to its end.

It answers whatever a form asks of everybody with the first value that the schema takes, or by chance with any. Where the server points at an answer it tries
another value, then none; where it points at one that is missing it gives one.
"""

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import jsonschema_rs

_UPLOAD = "x-upload"
_MOST_TRIES, _MOST_STEPS, _MOST_VALUES = 400, 400, 12


def candidates(schema: dict[str, Any], today: dt.date, upload) -> Iterator[Any]:
    """Values that a schema takes, the plainest first."""
    if "const" in schema:
        yield schema["const"]
    elif "enum" in schema:
        yield from schema["enum"]
    elif schema.get(_UPLOAD):
        yield upload()
    elif schema.get("type") != "object" and ("anyOf" in schema or "oneOf" in schema):
        for branch in schema.get("anyOf") or schema["oneOf"]:
            yield from candidates({**{key: value for key, value in schema.items() if key not in ("anyOf", "oneOf")}, **branch}, today, upload)
    else:
        yield from _plain(schema, today, upload)


def _plain(schema, today, upload) -> Iterator[Any]:
    kind = schema.get("type", "string")
    match kind[0] if isinstance(kind, list) else kind:
        case "boolean":
            yield from (True, False)
        case "integer" | "number":
            low, high = schema.get("minimum", 0), schema.get("maximum", 10**6)
            yield from dict.fromkeys(min(max(value, low), high) for value in (1, 5, 100, 500_000, low, high))
        case "array":
            if schema.get("minItems", 0) or schema.get("maxItems", 1):
                inner = list(islice(candidates(schema.get("items", {}), today, upload), 8))
                yield from ([one] for one in inner)
                if schema.get("uniqueItems"):
                    yield inner
                else:
                    yield from (inner[:1] * times for times in (5, schema.get("maxItems", 1)))  # as many lines as another answer says there are
            yield []
        case "object":
            found = {name: list(islice(candidates(schema["properties"][name], today, upload), 8)) for name in _needed(schema)}
            for turn in range(max(map(len, found.values()), default=1)):
                yield {name: values[min(turn, len(values) - 1)] for name, values in found.items()}
        case "null":
            yield None
        case _:
            validator = jsonschema_rs.validator_for({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
            days = [today + dt.timedelta(days=shift) for shift in (-12_000, 0, -30, 30, -3, 3, -200, 200)]
            texts = [
                "Texte",
                *(day.isoformat() for day in days),
                *(f"{day}T09:00:00Z" for day in days),
                "12345678",
                "A123456",
                "+21620123456",
                "a@example.tn",
                "1" * 20,
                "M0 0L9 9",
                "09:30",
                "10",
            ]
            yield from (text for text in texts if validator.is_valid(text))


def _needed(schema) -> list[str]:
    """The properties to give: of a row all of them, optional ones too; where `anyOf` names some, the first of those."""
    first = next((branch["required"] for branch in schema.get("anyOf", ()) if "required" in branch), None)
    return [*schema.get("required", []), *first] if first is not None else [name for name in schema["properties"] if name not in ("id", "reason")]


class Stranger:
    """Leads one case, with as many accounts as it takes. `programs`: user name → client with a token; `chance`: answers any valid value, in place of the plainest."""

    def __init__(self, programs, today: dt.date, chance: random.Random | None = None) -> None:
        self.programs, self.today, self.chance = programs, today, chance
        self.boldness = chance.choice([0.05, 0.2, 0.5, 1.0]) if chance else 0.0  # how often an answer is any, and not the plainest
        self.done: list[str] = []
        self.sent: Counter[tuple[str, str]] = Counter()

    def lead(self, case_id: str, settle) -> dict[str, Any]:
        """Does every task it may, and lets time pass when there is none; gives back the case as it ended (or stopped). `settle` gives the day it is then."""
        idle = 0
        for _ in range(_MOST_STEPS):
            case = self._seen(case_id)
            if case["ended_at"] or idle > 12:
                return case
            if self._one_task(case) or self._task_elsewhere():
                idle = 0
            else:
                idle += 1
                for awaited in case["waiting"]:
                    self._send(awaited)
                self.today = settle()
        raise AssertionError(f"{case_id} does not end: {self.done[-20:]}")

    def _seen(self, case_id):
        return next(answer.json() for answer in (program.get(f"/cases/{case_id}") for program in self.programs.values()) if answer.status_code == 200)

    def _one_task(self, case) -> bool:
        """Does one of the tasks that the case waits for, by the first account that may."""
        for task_id in [awaited["task_id"] for awaited in case["waiting"] if awaited["task_id"]]:
            for program in self.programs.values():
                answer = program.get(f"/tasks/{task_id}")
                if answer.status_code == 200 and "complete" in answer.json()["may"]:
                    self._do(program, answer.json())
                    self.done.append(answer.json()["node"])
                    return True
        return False

    def _task_elsewhere(self) -> bool:
        """Does a task that no one holds, of whatever case: what one waits for may be another's to give (a sitting's decision)."""
        for program in self.programs.values():
            for scope in ("mine", "queue"):
                for item in program.get("/worklist", scope=scope).json()["items"]:
                    task = program.get(f"/tasks/{item['task_id']}").json()
                    if "complete" in task.get("may", ()):
                        self._do(program, task)
                        self.done.append(task["node"])
                        return True
        return False

    def _send(self, awaited) -> None:
        """Sends what a case waits for, by the first account that may; when it waits for the same a fifth time, lets time decide."""
        mark = (awaited["message"], awaited["correlation"])
        self.sent[mark] += 1
        if awaited["message"] and self.sent[mark] < 5:
            message = {"name": awaited["message"], "correlation": awaited["correlation"], "payload": {}}
            any(program.post("/messages", json=message).status_code == 202 for program in self.programs.values())

    def _do(self, program, task) -> None:
        """Takes a task and completes it. Met a second time it is answered otherwise: some roads turn in circles on purpose."""
        task_id, turn, properties = task["task_id"], self.done.count(task["node"]), task["form"]["properties"]
        assert program.post(f"/tasks/{task_id}/claim").status_code == 200
        values = {name: self._values(schema, program, turn) for name, schema in properties.items()}
        tried = {name: iter(found) for name, found in values.items() if found}
        asked = [name for name in tried if "x-when" not in properties[name]]
        answers = {name: next(tried[name]) for name in asked if self.chance is None or name in task["form"]["required"] or self.chance.random() > self.boldness * 0.3}
        told: Counter[tuple[str, str]] = Counter()
        for attempt in range(_MOST_TRIES):
            sent = {"answers": answers, "version": task["version"]}
            answer = program.post(f"/tasks/{task_id}/complete", json=sent, headers={"idempotency-key": f"{task_id} {attempt}"})
            if answer.status_code == 200:
                return
            problem = answer.json()
            assert answer.status_code == 422, (task["node"], problem)
            told.update((fault["pointer"], fault["detail"]) for fault in problem["errors"])
            for fault in problem["errors"]:
                pointers = fault.get("pointers") or [fault["pointer"]]
                name = pointers[attempt % len(pointers)].removeprefix("#/answers/").split("/")[0]
                if name not in answers and name in values:
                    tried[name] = iter(values[name])
                answers[name] = next(tried[name], None) if name in tried and fault["code"] != "answer.not_asked" else None
                if answers[name] is None:
                    del answers[name]
        raise AssertionError((task["node"], told.most_common(12), answers))

    def _values(self, schema, program, turn) -> list[Any]:
        found = [value for value in candidates(schema, self.today, lambda: self._document(program)) if value is not None]
        if self.chance is not None and self.chance.random() < self.boldness:
            self.chance.shuffle(found)
            return found
        few = found[:_MOST_VALUES] if self.chance is None else found
        return few[turn % len(few) :] + few[: turn % len(few)] if few else []

    def _document(self, program) -> str:
        sent = program.post("/documents", files={"file": ("scan.pdf", b"%PDF-1.4\n%%EOF\n", "application/pdf")})
        return sent.json()["document_id"]
