"""Examples of what editions, drafts, moves and repairs answer: see `api.examples`."""

from typing import Any

_CASE, _KARIM = "01999f3a-6a51-7c05-9d3e-0f6b3a1c2d4e", "01999f39-0d21-7b44-a1b2-c3d4e5f60718"
_OPENED, _DUE = "2026-03-16T09:12:00Z", "2026-03-20T17:00:00Z"
_EDITION, _DRAFT_ID = "01999f3b-1b2c-7d3e-8f40-516273849506", "01999f3c-2c3d-7e4f-9051-627384950617"
_DRAFT = {
    "draft_id": _DRAFT_ID,
    "title": "Shorter first interview",
    "state": "submitted",
    "version": 2,
    "base_id": _EDITION,
    "base_number": 1,
    "opened_by": "Meriem Louati",
    "opened_at": _OPENED,
    "authors": ["Meriem Louati"],
    "is_behind": False,
    "submitted_by": "Meriem Louati",
    "submitted_at": _OPENED,
    "starts_at": _DUE,
    "reason": "Two questions nobody used.",
    "accepted": "",
    "burden_reason": "",
    "decided_by": "",
    "decided_at": None,
    "refusal": "",
    "is_mine": False,
    "was_taken_back": False,
    "edition_id": None,
    "edition_number": None,
    "may": ["approve", "refuse"],
}
_START = {"starts_at": _OPENED, "asked_by": "", "approved_by": "", "reason": "First edition", "burden_reason": "", "is_to_come": False, "is_first": True}
_PATH = "forms/tasks/f21.toml"
_TOLD = {"kind": "removed", "file": _PATH, "element": "evaluation.souhait", "text": "The form “Assessment interview” asks “What do they want to do?” no more."}
_BURDEN = {"path": "typical", "figure": "questions", "label": "questions", "old": 142, "new": 141, "is_rise": False,
           "text": "On the usual way, questions: 141 instead of 142 (1 fewer)."}  # fmt: skip
_ASIDE = {"aside_id": 42, "path": _PATH, "made_from": 2, "saved_by": "Anis Mabrouk", "saved_at": _OPENED, "is_removal": False}

_REHEARSAL = {
    "state": "done",
    "total": 412,
    "done": 412,
    "is_stale": False,
    "counts": {"same": 380, "differs": 32},
    "gravest": {"asks": 30, "stops": 2},
    "differences": [
        {"kind": "stops", "process": "", "element": "evaluation_choix_enquete", "then": [], "now": ["gateway.no_way_out"], "fields": [], "cases": 2,
         "cases_named": ["TN-MED-2026-00012", "TN-SFX-2026-00003"], "is_veiled": False},
    ],
    "seconds_per_thousand": 58.2,
}  # fmt: skip
_TRIAL = {
    "version": 1,
    "now": _OPENED,
    "lost": 0,
    "tasks": [{"instance": 0, "node": "T101", "turn": 1, "process": "accueil", "agency": "OTE", "role": "agent_accueil", "due_at": _DUE, "asks": ["person.cin"]}],
    "waiting": [{"instance": 0, "node": "parcours_deux_ans", "turn": 1, "kind": "timer", "name": "", "due_at": "2028-03-16T09:12:00Z"}],
    "instances": [{"process": "parcours", "is_open": True, "stands": ["T101"], "incidents": []}],
}
_SCENARIOS = {
    "items": [{"path": "processes/scenarios/retour-volontaire-parcours.toml", "title": "Retour volontaire", "process": "parcours", "made_of": "trial", "steps": 42, "finding": ""}],
    "coverage": [{"process": "parcours", "passed": 30, "total": 52, "missed": ["T814"]}],
}
_FIGURE = {"mean": 12.4, "low": 10.9, "high": 14.1}
_OUTCOME = {
    "days": {"mean": 402.1, "low": 360.0, "high": 451.7},
    "half": 380.5,
    "nine_tenths": 742.0,
    "agencies": [{"agency": "OTE", "tasks": _FIGURE, "days": _FIGURE, "tasks_a_month": _FIGURE}],
    "assumed": [],
}
_STAFFED = {"people": 2, "tasks_a_month": _FIGURE, "hours_a_month": _FIGURE, "busy": {"mean": 0.41, "low": 0.36, "high": 0.45}, "hours_until_free": _FIGURE}
_INCIDENT_ID, _REPAIR_ID = "6c1d2e3f-4a5b-5c6d-8e7f-0a1b2c3d4e5f", "01999f3d-3d4e-7f50-8162-738495061728"
_INCIDENT = {
    "incident_id": _INCIDENT_ID,
    "case_id": _CASE,
    "instance_id": _CASE,
    "case_number": "TN-MED-2026-00042",
    "branch": "MED",
    "process": "accueil",
    "position": "4.12",
    "node": "G104",
    "name": "Admitted?",
    "code": "gateway.no_way_out",
    "details": {},
    "looked": [{"text": 'admission = "A"', "values": {"admission": None}, "value": False, "is_hidden": False}],
    "opened_at": _OPENED,
    "owner_id": None,
    "owner": "",
    "alike": 2,
    "may": ["retry", "assign", "repair"],
}
_REPAIR = {
    "repair_id": _REPAIR_ID,
    "case_id": _CASE,
    "instance_id": _CASE,
    "case_number": "TN-MED-2026-00042",
    "branch": "MED",
    "act": "move",
    "name": "Commit the funds",
    "to_name": "Prepare the instalment",
    "position": "31.4",
    "to": "T610",
    "label": "",
    "before": "",
    "value": "",
    "reason": "The fund was renamed.",
    "touches": ["money"],
    "proposed_by": "Meriem Louati",
    "proposed_at": _OPENED,
    "expires_at": _DUE,
    "state": "proposed",
    "decided_by": "",
    "decided_at": None,
    "answer": "",
    "at_seq": 32,
    "may": ["approve", "refuse"],
}
_DECIDED = _REPAIR | {"state": "applied", "decided_by": "Anis Mabrouk", "decided_at": _DUE, "at_seq": 33, "may": []}
_PLACE_OF = {
    "instance_id": _CASE,
    "seq": 12,
    "position": "4.12",
    "process": "accueil",
    "process_name": "Reception",
    "node": "G104",
    "name": "Admitted?",
    "what": "node",
    "is_broken": True,
    "targets": [{"element": "T105", "name": "Tell the person"}],
    "may_skip": False,
}
_OUTLOOK = {
    "instance_id": _CASE,
    "seq": 12,
    "position": "4.12",
    "name": "Admitted?",
    "to": "T105",
    "to_name": "Tell the person",
    "closed": [],
    "opened": ["Tell the person"],
    "operations": [],
    "waits": [],
    "messages": [],
    "broken": [],
    "has_ended": False,
    "touches": [],
}
_BATCH_ID = "01999f3d-3d4e-7f50-a162-738495061728"
_CERTIFICATE = {
    "way": "replay",
    "refused": [],
    "notes": [{"code": "opens", "node": "T298", "process": "evaluation", "breaks": "", "way": [], "details": {}}],
    "looked_at": {"end": 12, "work": 7, "obligations": 3, "deadlines": 2},
}
_REFUSED = {
    "way": "positions",
    "refused": [
        {"code": "asked_again", "node": "T204", "process": "evaluation", "breaks": "work", "way": [["evaluation", "T206"], ["evaluation", "T204"]], "details": {}}
    ],
    "notes": [],
    "looked_at": {"end": 12, "work": 7, "obligations": 3, "deadlines": 2},
}
_BATCH = {
    "batch_id": _BATCH_ID,
    "kind": "move",
    "draft_id": None,
    "edition_id": _EDITION,
    "parameters": {"mapping": {"evaluation#T203": "evaluation#T203b"}, "reason": "Shorter assessment"},
    "asked_by": _KARIM,
    "asked_at": _OPENED,
    "state": "running",
    "failure": "",
    "total": 61,
    "done": 12,
    "started_at": _OPENED,
    "ended_at": None,
}
_LINE = {"instance_id": _CASE, "number": "TN-MED-2026-00042", "branch": "MED", "process": "parcours", "status": "open"}

EXAMPLES: dict[tuple[str, str], Any] = {
    ("get", "/editions"): {
        "items": [
            {
                "edition_id": _EDITION,
                "number": 1,
                "digest": "9f86d081884c7d65…",
                "published_at": _OPENED,
                "is_in_force": True,
                "files": 123,
                "open_cases": 61,
                "starts": [_START],
            }
        ]
    },
    ("post", "/editions/{edition_id}/bring-back"): _DRAFT,
    ("get", "/editions/{edition_id}/moves"): {
        "found": {
            "items": [
                {
                    "instance_id": _CASE,
                    "root_id": _CASE,
                    "number": "TN-MED-2026-00042",
                    "process": "parcours",
                    "branch": "MED",
                    "edition": 1,
                    "stage": "evaluation",
                    "opened_at": _OPENED,
                    "stands": ["Joint assessment interview"],
                }
            ],
            "total": 1,
            "stands": [["T201", "Joint assessment interview", 1]],
            "former": [[_EDITION, 1, "parcours", 61]],
            "branches": ["MED"],
        },
        "mapping": [
            {
                "element": "evaluation#T203",
                "name": "Employment part",
                "kind": "userTask",
                "to": "evaluation#T203b",
                "offered": [["evaluation#T203b", "Employment and skills part"]],
                "standing": 1,
            }
        ],
    },
    ("post", "/editions/{edition_id}/moves"): _BATCH,
    ("get", "/moves/{batch_id}"): {
        "batch": _BATCH,
        "counts": {"move.done": 11, "move.refused": 1},
        "lines": [{"place": 1, **_LINE, "code": "move.done", "details": _CERTIFICATE}, {"place": 2, **_LINE, "code": "move.refused", "details": _REFUSED}],
    },
    ("post", "/moves/{batch_id}/cancel"): {**_BATCH, "state": "cancelled", "ended_at": _OPENED},
    ("post", "/moves/{batch_id}/undo"): {**_BATCH, "parameters": {"back": _BATCH_ID, "reason": "Too early"}},
    ("post", "/cases/{case_id}/move-back"): {"instance_id": _CASE, "code": "move.undone", "certificate": None},
    ("post", "/cases/{case_id}/move"): {"instance_id": _CASE, "code": "move.done", "certificate": _CERTIFICATE},
    ("get", "/drafts"): {"items": [_DRAFT]},
    ("post", "/drafts"): _DRAFT,
    ("get", "/drafts/{draft_id}/comparison"): {
        "edition_number": 1,
        "changes": [_TOLD],
        "marks": {"old": {}, "new": {"processes/evaluation.bpmn": {"T201": "changed"}}},
        "burden": [_BURDEN],
    },
    ("post", "/drafts/import"): _DRAFT,
    ("get", "/drafts/{draft_id}"): {
        "draft": _DRAFT,
        "files": [{"path": _PATH, "kind": "forms", "version": 3, "change": "changed", "saved_by": "Meriem Louati", "saved_at": _OPENED}],
        "asides": [_ASIDE],
        "findings": [
            {
                "severity": "error",
                "code": "edition.form_unknown",
                "file": "parcours.bpmn",
                "element": "T201",
                "message": "The task asks for a form that does not exist.",
            }
        ],
    },
    ("get", "/drafts/{draft_id}/files/{path}"): {"path": _PATH, "kind": "forms", "version": 3, "content": 'id = "f21"\n', "saved_by": "Meriem Louati"},
    ("put", "/drafts/{draft_id}/files/{path}"): {"path": _PATH, "version": 4},
    ("delete", "/drafts/{draft_id}/files/{path}"): {"path": _PATH, "version": 4},
    ("get", "/drafts/{draft_id}/asides/{aside_id}"): {"aside": _ASIDE, "content": 'id = "f21"\n'},
    ("post", "/drafts/{draft_id}/asides/{aside_id}/take"): {"path": _PATH, "version": 4},
    **{("post", f"/drafts/{{draft_id}}/{verb}"): _DRAFT for verb in ("asides/{aside_id}/drop", "update", "submit", "approve", "refuse", "drop")},
    ("get", "/drafts/{draft_id}/rehearsal"): _REHEARSAL,
    ("post", "/drafts/{draft_id}/rehearsal"): _REHEARSAL | {"state": "waiting", "done": 0, "counts": {}, "gravest": {}, "differences": [], "seconds_per_thousand": None},
    ("post", "/drafts/{draft_id}/rehearsal/cancel"): _REHEARSAL | {"state": "cancelled", "done": 240},
    ("get", "/drafts/{draft_id}/trial"): _TRIAL,
    ("post", "/drafts/{draft_id}/trial"): _TRIAL,
    ("post", "/drafts/{draft_id}/trial/acts"): _TRIAL | {"version": 2},
    ("post", "/drafts/{draft_id}/trial/back"): _TRIAL,
    ("get", "/drafts/{draft_id}/scenarios"): _SCENARIOS,
    ("post", "/drafts/{draft_id}/scenarios"): _SCENARIOS,
    ("post", "/drafts/{draft_id}/scenarios/renew"): _SCENARIOS,
    ("get", "/drafts/{draft_id}/simulation"): {
        "cases": 412,
        "observations": 9120,
        "measured": 4310,
        "hours_a_month": 186.4,
        "posts": [{"branch": "MED", "agency": "ANETI", "role": "conseiller_emploi", "current": _STAFFED, "draft": _STAFFED | {"people": 1, "busy": {"mean": 0.81, "low": 0.72, "high": 0.9}}}],
        "processes": [{"process": "parcours", "current": _OUTCOME, "draft": _OUTCOME | {"assumed": [["deadline", "T299"]]}, "is_same": False}],
    },
    ("get", "/incidents"): {"items": [_INCIDENT]},
    ("post", "/incidents/{incident_id}/retry"): {"incident_id": _INCIDENT_ID, "went_on": 3, "broke_again": 0},
    ("post", "/incidents/{incident_id}/assign"): {"incident_id": _INCIDENT_ID, "owner_id": _KARIM},
    ("get", "/cases/{case_id}/places"): {"items": [_PLACE_OF]},
    ("get", "/instances/{instance_id}/outlook"): _OUTLOOK,
    ("post", "/instances/{instance_id}/repair"): {"proposed": None},
    ("post", "/cases/{case_id}/correct"): {"proposed": _REPAIR_ID},
    ("get", "/repairs"): {"items": [_REPAIR]},
    ("post", "/repairs/{repair_id}/approve"): _DECIDED,
    ("post", "/repairs/{repair_id}/refuse"): _DECIDED | {"state": "refused", "answer": "Ask finance first."},
}
