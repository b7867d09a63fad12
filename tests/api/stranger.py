"""A stranger: a client that knows the routes and JSON Schema, nothing of Masar, and leads any case to its end.

It answers whatever a form asks of everybody with the first value that the schema takes. Where the server points at an answer it tries
another value, then none; where it points at one that is missing it gives one.
"""

import datetime as dt
from collections.abc import Iterator
from itertools import islice
from typing import Any

import jsonschema_rs

_UPLOAD = "x-upload"
_MOST_TRIES, _MOST_STEPS, _MOST_VALUES = 60, 400, 12


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
            inner = next(candidates(schema.get("items", {}), today, upload), None)
            if schema.get("minItems", 0) or schema.get("maxItems", 1):
                yield [inner]
            yield []
        case "object":
            yield {name: next(candidates(schema["properties"][name], today, upload)) for name in _needed(schema)}
        case "null":
            yield None
        case _:
            validator = jsonschema_rs.validator_for({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
            days = [today + dt.timedelta(days=shift) for shift in (0, -30, 30, -3, 3, -200, 200, -12_000)]
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
            ]
            yield from (text for text in texts if validator.is_valid(text))


def _needed(schema) -> list[str]:
    """The properties an object must have; one of those that `anyOf` names where it names some."""
    first = next((branch["required"] for branch in schema.get("anyOf", ()) if "required" in branch), [])
    return [*schema.get("required", []), *first]


class Stranger:
    """Leads one case, with as many accounts as it takes. `programs`: user name → client with a token."""

    def __init__(self, programs, today: dt.date) -> None:
        self.programs, self.today = programs, today
        self.done: list[str] = []
        self.sent: set[tuple[str, str, str]] = set()

    def lead(self, case_id: str, settle) -> dict[str, Any]:
        """Does every task it may, and lets time pass when there is none; gives back the case as it ended (or stopped)."""
        idle = 0
        for _ in range(_MOST_STEPS):
            case = self._seen(case_id)
            if case["ended_at"] or idle > 12:
                return case
            if self._one_task(case):
                idle = 0
            else:
                idle += 1
                for awaited in case["waiting"]:
                    self._send(awaited)
                settle()
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

    def _send(self, awaited) -> None:
        """Sends what a case waits for, once, by the first account that may."""
        mark = (awaited["message"], awaited["correlation"], awaited["since"])
        if awaited["message"] and mark not in self.sent:
            self.sent.add(mark)
            message = {"name": awaited["message"], "correlation": awaited["correlation"], "payload": {}}
            any(program.post("/messages", json=message).status_code == 202 for program in self.programs.values())

    def _do(self, program, task) -> None:
        """Takes a task and completes it. Met a second time it is answered otherwise: some roads turn in circles on purpose."""
        task_id, turn, properties = task["task_id"], self.done.count(task["node"]), task["form"]["properties"]
        assert program.post(f"/tasks/{task_id}/claim").status_code == 200
        values = {name: list(islice(candidates(schema, self.today, lambda: self._document(program)), _MOST_VALUES)) for name, schema in properties.items()}
        tried = {name: iter(found[turn % len(found) :] + found[: turn % len(found)]) for name, found in values.items() if found}
        answers = {name: next(tried[name]) for name in tried if "x-when" not in properties[name]}
        for attempt in range(_MOST_TRIES):
            sent = {"answers": answers, "version": task["version"]}
            answer = program.post(f"/tasks/{task_id}/complete", json=sent, headers={"idempotency-key": f"{task_id} {attempt}"})
            if answer.status_code == 200:
                return
            problem = answer.json()
            assert answer.status_code == 422, (task["node"], problem)
            pointed = {pointer for fault in problem["errors"] for pointer in (fault.get("pointers") or [fault["pointer"]])}
            useless = {fault["pointer"] for fault in problem["errors"] if fault["code"] == "answer.not_asked"}
            for name in {pointer.removeprefix("#/answers/").split("/")[0] for pointer in pointed}:
                answers[name] = next(tried[name], None) if name in tried and f"#/answers/{name}" not in useless else None
                if answers[name] is None:
                    del answers[name]
        raise AssertionError((task["node"], answers, problem))

    def _document(self, program) -> str:
        sent = program.post("/documents", files={"file": ("scan.pdf", b"%PDF-1.4\n%%EOF\n", "application/pdf")})
        return sent.json()["document_id"]
