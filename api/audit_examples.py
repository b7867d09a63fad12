"""Examples of the answers about audit: why, history searched, samples, findings."""

from typing import Any

_CASE, _SAMPLE, _FINDING = "01999f3a-6a51-7c05-9d3e-0f6b3a1c2d4e", "01999f3a-6a51-7c05-9d3e-0f6b3a1c2d70", "01999f3a-6a51-7c05-9d3e-0f6b3a1c2d71"
_SALMA, _SONIA, _AT = "01999f39-0d21-7b44-a1b2-c3d4e5f60701", "01999f39-0d21-7b44-a1b2-c3d4e5f60702", "2026-03-16T09:12:00Z"
_NUMBERED = {"case_id": _CASE, "case_number": "TN-MED-2026-00042", "branch": "MED"}
_EVENT = _NUMBERED | {"happened": {"instance_id": _CASE, "seq": 17, "kind": "task.late", "occurred_at": _AT, "actor": "system", "agency": "", "body": {"node": "T608"}, "why": [], "values": [], "reason": ""}}
_DRAWN = {"sample_id": _SAMPLE, "seed": "2026-1", "size": 1, "process": "parcours", "branch": "", "opened_from": None, "opened_to": "2026-03-31", "population": 2, "drawn_by": "Chokri Abdelli", "drawn_at": _AT}
_FOUND = {
    "finding_id": _FINDING, "number": 3, "state": "answered", "said": "The advance was checked after four working days.", "answer_role": "chef_antenne", "answer_branch": "MED",
    "due_on": "2026-04-01", "is_late": False, "holds": True, "opened_at": _AT, "opened_by": "Chokri Abdelli", "case_id": _CASE, "case_number": "TN-MED-2026-00042", "instance_id": _CASE, "seq": 17,
    "event": "task.late", "edition": None, "process": "", "element": "", "name": "",
    "words": [{"kind": "answer", "said": "She was on leave.", "who": "Sonia Gharbi", "at": _AT}], "may": ["return", "lift", "close"], "instead_of": "",
}  # fmt: skip

EXAMPLES: dict[tuple[str, str], Any] = {
    ("get", "/cases/{case_id}/why"): {"items": [{"instance_id": _CASE, "seq": 17, "at": _AT, "turns": [{"name": "Proof of the return?", "outcome": "“yes” (“Screening”)"}]}], "next": None},
    ("get", "/cases/{case_id}/why/{instance_id}/{seq}"): {
        "case_id": _CASE, "instance_id": _CASE, "seq": 17, "kind": "task.completed", "at": _AT, "actor": "Salma Trabelsi", "agency": "OTE",
        "turns": [{
            "kind": "turned", "node": "accueil_choix_preuve", "name": "Proof of the return?", "decision": "", "rules": [], "taken": "“yes” (“Screening”)",
            "conditions": [{"words": "“Return proved” is yes", "feel": "retour.prouve = true", "to": "“yes” (“Screening”)", "holds": True, "is_taken": True}],
            "values": [{"path": "retour.prouve", "label": "Return proved", "value": "Yes", "source": "document", "author": "Salma Trabelsi", "agency": "OTE", "at": _AT, "is_hidden": False}],
            "near": [], "smallest": "Had “Return proved” been No instead of Yes, the case would have gone to “no”.", "others": [], "tried": 2, "is_searched": True, "is_veiled": False,
        }],
    },
    ("get", "/audit/events"): {"items": [_EVENT], "next": "40"},
    ("get", "/audit/rules"): {"items": [{"decision": "D1", "rule": "D1_recevable", "label": "Return of less than twelve months", "fired": 51, "cases": 51, "table": "Admission to the scheme"}], "veiled": 15},
    ("get", "/audit/departures"): {"items": [_NUMBERED | {"told_in": _CASE, "instance_id": _CASE, "seq": 17, "proposed_label": "Amount proposed", "proposed": "TND 600.000", "decided_label": "Amount granted",
                                                          "decided": "TND 450.000", "reason": "Two of the three quotes are enough.", "author": "Sonia Gharbi", "agency": "OTE", "at": _AT}],
                                   "next": None, "veiled": 1},
    ("get", "/audit/pairs"): {"items": [{"prepared_by": _SALMA, "prepared_name": "Mehdi Karoui", "approved_by": _SONIA, "approved_name": "Habib Cherif", "times": 27, "dossiers": 14,
                                         "approved": 27, "prepared": 33}], "next": None},
    ("get", "/audit/samples"): {"items": [_DRAWN]},
    ("post", "/audit/samples"): {"id": _SAMPLE},
    ("get", "/audit/samples/{sample_id}"): {"sample": _DRAWN, "drawn": [_NUMBERED | {"status": "open", "digest": "025efb1663900cd9616c4697ffe38904988dde9f2e0bb8866430bd5e90b9ed6f"}], "ids": [_CASE, _FINDING]},
    ("get", "/findings"): {"items": [_FOUND | {"words": []}], "next": None},
    ("post", "/findings"): {"id": _FINDING},
    ("get", "/findings/{finding_id}"): _FOUND,
    ("post", "/findings/{finding_id}/{act}"): _FOUND,
}  # fmt: skip
