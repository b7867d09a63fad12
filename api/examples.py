"""What the API's document shows of each answer: one example for each route, as the demo gives it. A test holds them to their schemas."""

from typing import Any

from api import administration_examples, audit_examples, edition_examples, log_examples, steering_examples, work_examples

_CASE, _TASK, _KARIM = "01999f3a-6a51-7c05-9d3e-0f6b3a1c2d4e", "5b8f6c1e-2d1f-5a33-8f0e-9a4b7c6d5e01", "01999f39-0d21-7b44-a1b2-c3d4e5f60718"
_PERSON = "01999f3a-6a51-7c05-9d3e-0f6b3a1c2d4f"
_OPENED, _DUE = "2026-03-16T09:12:00Z", "2026-03-20T17:00:00Z"
_PLACE = {"agency": "OTE", "branch": "MED"}
_ROW = {
    "task_id": _TASK,
    "case_id": _CASE,
    "case_number": "TN-MED-2026-00042",
    "person": "Mounir Ben Salah",
    "name": "Joint assessment interview",
    "node": "T201",
    "process": "evaluation",
    **_PLACE,
    "role": "referent",
    "holder_id": None,
    "holder": "",
    "opened_at": _OPENED,
    "due_at": _DUE,
    "is_late": False,
}
_WISH = {
    "title": "What do they want to do?",
    "oneOf": [{"const": "emploi", "title": "A job"}, {"const": "creation", "title": "A business"}],
    "x-type": "enum",
    "x-class": "C",
    "x-owner": "OTE",
}
_FORM = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Assessment interview",
    "type": "object",
    "properties": {"evaluation.projet_souhaite": _WISH},
    "required": ["evaluation.projet_souhaite"],
    "additionalProperties": False,
}
_FACT = {
    "field": "retour.pays",
    "label": "Country returned from",
    "source": "person",
    "author": "Salma Trabelsi",
    "author_agency": "OTE",
    "recorded_at": _OPENED,
}

EXAMPLES: dict[tuple[str, str], Any] = {
    ("post", "/token"): {"access_token": "q1Zr5c0mN3…", "token_type": "bearer", "expires_in": 43_200},
    ("get", "/me"): {"user_id": _KARIM, "username": "karim", "name": "Karim Ben Amor", **_PLACE, "roles": ["referent"], "language": "fr"},
    ("get", "/worklist"): {"items": [{**_ROW, "stage": "evaluation", "priority": 0, "may_claim": True, "kept_apart": "", "stands_in": ""}], "next": None},
    ("post", "/search"): {"items": [{"case_id": _CASE, "case_number": "TN-MED-2026-00042", "branch": "MED", "person": "Mounir Ben Salah", "status": "open", "matched": ["name"],
                                     "ended_at": None, "is_expected": False, "person_id": _PERSON, "born": "1994-03-11"}]},
    ("post", "/cases"): {"case_id": _CASE, "case_number": "TN-MED-2026-00042", "task_id": _TASK},
    ("get", "/cases/{case_id}"): {
        "case_id": _CASE,
        "case_number": "TN-MED-2026-00042",
        "receipt_code": "K7MX2QTA",
        "person": "Mounir Ben Salah",
        "branch": "MED",
        "process": "parcours",
        "edition": 1,
        "state": "EN_EVALUATION",
        "stage": "evaluation",
        "opened_at": _OPENED,
        "ended_at": None,
        "outcome": "",
        "referent": "Karim Ben Amor",
        "waiting": [
            {
                "kind": "message",
                "name": "Proof of return",
                "node": "attendre_preuve",
                "since": _OPENED,
                "until": None,
                "agency": "",
                "holder": "",
                "message": "piece.recue",
                "correlation": "TN-MED-2026-00042",
                "task_id": None,
                "branch": "",
                "role": "",
                "awaits": "person",
            }
        ],
        "known": [{**_FACT, "subject": f"retour:{_CASE}", "group": "retour", "value": "Germany", "valid_until": None}],
        "stands": [{"instance_id": _CASE, "process": "parcours", "status": "open", "active": ["T201"], "done": ["debut", "T101"], "edition_id": "01999f3a-6a50-7b11-8c2d-1f0e3d4c5b6a"}],
        "letters": [],
    },
    ("get", "/cases/{case_id}/consultations"): {
        "case_id": _CASE,
        "case_number": "TN-MED-2026-00042",
        "items": [
            {"seq": 3, "at": _OPENED, "kind": "read", "name": "Amel Dhaouadi", "agency": "CPS", "branch": "MED", "act": "task", "classes": ["S"]},
            {"seq": 2, "at": _OPENED, "kind": "refused", "name": "Inès Bouzid", "agency": "OTE", "branch": "SFX", "act": "case.read", "classes": []},
        ],
        "next": 0,
    },
    ("get", "/cases/{case_id}/history"): {
        "items": [
            {
                "instance_id": _CASE,
                "seq": 7,
                "kind": "task.completed",
                "occurred_at": _OPENED,
                "actor": "Salma Trabelsi",
                "agency": "OTE",
                "body": {"node": "T104", "form": "f13"},
                "why": [{"node": "D1", "decision": "D1", "rules": ["D1-4"], "values": {"retour.pays": "DE"}, "outputs": "RECEVABLE"}],
                "values": [],
                "reason": "",
            }
        ],
        "next": None,
    },
    ("get", "/cases/{case_id}/exceptions"): {
        "offers": [{"process": "reclamation", "name": "Complaint", "about": "The person complains about the service.", "asks": True}],
        "running": [{"instance_id": _TASK, "process": "suspension", "name": "Suspension of the case", "since": _OPENED}],
        "suspended_at": _OPENED,
        "clocks": [{"name": "Assessment interview", "due_at": _DUE}],
    },
    ("get", "/cases/{case_id}/exceptions/{process}"): {"process": "reclamation", "name": "Complaint", "form": _FORM},
    ("post", "/cases/{case_id}/exceptions"): {
        "case_id": _CASE,
        "case_number": "TN-MED-2026-00042",
        "name": "Complaint",
        "instance_id": _TASK,
        "next_tasks": [],
        "is_repeat": False,
        "end": "",
    },
    ("get", "/tasks/{task_id}"): {
        **_ROW,
        "instance_id": _CASE,
        "stage": "evaluation",
        "may": ["claim", "complete"],
        "kept_apart": "",
        "stands_in": "",
        "papers": [],
        "version": 118,
        "form": _FORM,
        "known": [{**_FACT, "value": "DE", "text": "Germany", "status": "known", "is_hidden": False, "may_correct": False, "correction": None}],
    },
    ("post", "/tasks/{task_id}/claim"): {"task_id": _TASK, "holder_id": _KARIM},
    ("post", "/tasks/{task_id}/release"): {"task_id": _TASK, "holder_id": None},
    ("post", "/tasks/{task_id}/complete"): {
        "case_id": _CASE,
        "case_number": "TN-MED-2026-00042",
        "next_tasks": [],
        "has_ended": False,
        "is_repeat": False,
        "letters": [],
        "opened": [
            {
                "kind": "task",
                "name": "Employment part",
                "node": "T204",
                "since": _OPENED,
                "until": None,
                "agency": "ANETI",
                "holder": "",
                "message": "",
                "correlation": "",
                "task_id": _TASK,
                "branch": "MED",
                "role": "conseiller_emploi",
                "awaits": "",
            }
        ],
    },
    ("post", "/documents"): {"document_id": "01999f40-77aa-7d10-b3c4-d5e6f7081920"},
    ("post", "/checks"): {
        "findings": [
            {
                "severity": "error",
                "code": "check.default_missing",
                "file": "accueil.bpmn",
                "element": "accueil_choix_admission",
                "message": "“Admission” has no default way out: where no condition holds, the case stops there. Mark one way out as the default.",
            }
        ]
    },
    ("post", "/messages"): {"name": "piece.recue", "correlation": "TN-MED-2026-00042"},
    **edition_examples.EXAMPLES,
    **administration_examples.EXAMPLES,
    **log_examples.EXAMPLES,
    **audit_examples.EXAMPLES,
    **steering_examples.EXAMPLES,
    **work_examples.EXAMPLES,
    ("post", "/demo/clock"): {"now": "2026-03-30T09:12:00Z"},
}
PROBLEM = {
    "type": "urn:masar:problem:task.held",
    "title": "Somebody was first",
    "status": 409,
    "detail": "Karim Ben Amor has already taken this task. Ask them to release it or pass it to you.",
    "instance": f"/api/v1/tasks/{_TASK}/claim",
    "code": "task.held",
    "who": "Karim Ben Amor",
    "case_id": _CASE,
}
