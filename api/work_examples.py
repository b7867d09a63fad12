"""Examples of the answers about the agent's day: consents, appointments, notes, notices, leaves, caseloads, several tasks at once, sittings, the money of aids."""

from typing import Any

_CASE, _TASK, _KARIM, _SALMA = "01999f3a-6a51-7c05-9d3e-0f6b3a1c2d4e", "5b8f6c1e-2d1f-5a33-8f0e-9a4b7c6d5e01", "01999f39-0d21-7b44-a1b2-c3d4e5f60718", "01999f39-0d21-7b44-a1b2-c3d4e5f60701"
_ID, _AID, _DOSSIER, _LETTER = "01999f3a-6a51-7c05-9d3e-0f6b3a1c2d80", "01999f3a-6a51-7c05-9d3e-0f6b3a1c2d81", "01999f3a-6a51-7c05-9d3e-0f6b3a1c2d82", "01999f3a-6a51-7c05-9d3e-0f6b3a1c2d83"
_AT, _BEGINS, _ENDS, _NUMBER, _DAY = "2026-03-16T09:12:00Z", "2026-03-18T08:30:00Z", "2026-03-18T09:00:00Z", "TN-MED-2026-00042", "2026-03-18"
_PERSON, _PEOPLE = {"user_id": _KARIM, "name": "Karim Ben Amor"}, [{"user_id": _SALMA, "name": "Salma Trabelsi"}]
_AGREEMENT = {
    "case_id": _CASE, "case_number": _NUMBER, "person": "Mounir Ben Salah", "may_change": True, "of_age_since": None,
    "scopes": [{"code": "c1", "label": "The three agencies share what they need", "about": "", "is_given": True, "since": _AT, "names": [], "is_withdrawn": False}],
    "said": [{"at": _AT, "to": "Salma Trabelsi", "agency": "OTE", "given": ["c1"], "refused": ["c5"], "withdrawn": [], "language": "Arabic", "is_oral": False, "witness": "", "channel": "",
              "reason": "", "is_signed": True, "document_id": ""}],
}  # fmt: skip
_APPOINTMENT = {
    "appointment_id": _ID, "case_id": _CASE, "case_number": _NUMBER, "person": "Mounir Ben Salah", "agent_id": _KARIM, "agent": "Karim Ben Amor", "agency": "OTE", "branch": "MED",
    "place": "antenne", "measure": "", "begins_at": _BEGINS, "ends_at": _ENDS, "state": "set", "cause": "", "changes": 0, "changed_at": _AT, "letter_id": _LETTER, "is_begun": False, "may_write": True, "may_say_late": False,
}  # fmt: skip
_NOTES = {
    "items": [{"note_id": 1204, "text": "@karim she calls back on Monday.", "class_": "C", "author": "Salma Trabelsi", "agency": "OTE", "at": _AT}], "classes": ["C", "O"],
    "colleagues": [{"user_id": _KARIM, "username": "karim", "name": "Karim Ben Amor", "agency": "OTE", "classes": "CO"}],
}  # fmt: skip
_PIECES = {
    "items": [{"document_id": _LETTER, "piece": "PJ05", "class_": "C", "label": "Proof of address", "name": "bill.pdf", "at": _AT, "by": "Salma Trabelsi", "until": "2026-06-16T09:12:00Z", "is_used": False, "may_renew": False}],
    "choices": [{"piece": "PJ05", "class_": "C", "label": "Proof of address"}, {"piece": "autre", "class_": "O", "label": ""}],
}  # fmt: skip
_NOTICE = {"notice_id": _ID, "code": "note.mention", "at": _AT, "is_read": False, "who": "Salma Trabelsi", "task": "", "task_id": None, "case_id": _CASE, "case_number": _NUMBER,
           "due_at": None, "about": None, "title": ""}  # fmt: skip
_LOAD = _PERSON | {"agency": "OTE", "branch": "MED", "tasks": 12, "cases": 31, "is_active": True, "is_away": False}
_HANDED = {"items": [{"instance_id": _CASE, "case_id": _CASE, "case_number": _NUMBER, "process": "parcours", "tasks": ["Joint assessment interview"], "left": [], "is_named": True, "code": "", "details": {}}]}
_SELECTION = {"items": [{"task_id": _TASK, "task": "Joint assessment interview", "person": "Mounir Ben Salah", "case_number": _NUMBER, "code": "", "details": {}}]}
_FILE = {"aid_id": _AID, "place": 1, "state": "todo", "number": _NUMBER, "person": "Mounir Ben Salah", "level": "Level 2", "asked": "TND 8,000.000", "decision": "", "decision_code": "", "granted": "",
         "task_id": _TASK, "case_id": _CASE, "dossier_id": _DOSSIER, "why": ""}  # fmt: skip
_BALANCE = {"programme": "TOUNESNA-EU", "label": "Tounesna, European Union", "available": 412_000_000, "committed": 48_500_000, "paid": 139_500_000, "recovered": 0}
_HOLDS = {"words": "“Country returned from” is one of Germany, Italy", "holds": True, "values": [["Country returned from", "Germany"]]}

EXAMPLES: dict[tuple[str, str], Any] = {
    ("get", "/cases/{case_id}/consent"): _AGREEMENT,
    ("get", "/cases/{case_id}/consent/{act}"): {"act": "withdraw", "form": {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Consent withdrawn", "type": "object", "properties": {}}},
    ("post", "/cases/{case_id}/consent/{act}"): _AGREEMENT,
    ("get", "/cases/{case_id}/pieces"): _PIECES,
    ("post", "/cases/{case_id}/pieces"): _PIECES,
    ("post", "/cases/{case_id}/pieces/{document_id}/renew"): _PIECES,
    ("post", "/cases/{case_id}/pieces/{document_id}/turn-down"): _PIECES,
    ("get", "/appointments"): {"items": [_APPOINTMENT]},
    ("get", "/cases/{case_id}/appointments"): {"items": [_APPOINTMENT]},
    ("get", "/cases/{case_id}/appointments/free"): {"case_id": _CASE, "case_number": _NUMBER, "branch": "MED", "agents": [_PERSON | {"agency": "OTE"}], "agent_id": _KARIM, "minutes": 30, "day": _DAY,
                                                    "slots": [_BEGINS, _ENDS], "measures": [{"subject": f"mesure:{_ID}", "name": "Vocational training"}]},
    ("post", "/cases/{case_id}/appointments"): _APPOINTMENT,
    ("get", "/appointments/{appointment_id}"): _APPOINTMENT,
    ("post", "/appointments/{appointment_id}/move"): _APPOINTMENT | {"changes": 1},
    ("post", "/appointments/{appointment_id}/cancel"): _APPOINTMENT | {"state": "cancelled", "changes": 1, "may_write": False},
    ("post", "/appointments/{appointment_id}/settle"): {"case_id": _CASE, "next_tasks": [_TASK]},
    ("get", "/cases/{case_id}/notes"): _NOTES,
    ("post", "/cases/{case_id}/notes"): _NOTES,
    ("get", "/notices"): {"items": [_NOTICE], "older": None},
    ("post", "/notices/read"): {"unread": 0},
    ("post", "/notices/{notice_id}/read"): _NOTICE,
    ("get", "/leaves"): {"items": [{"leave_id": _ID, "user_id": _KARIM, "who": "Karim Ben Amor", "from_on": _DAY, "until_on": "2026-03-27", "stand_in": "Salma Trabelsi", "effective": "", "is_now": False,
                                    "left_out": 3, "to_move": 1, "may_end": True}], "people": [_PERSON]},
    ("get", "/leaves/stand-ins/{user_id}"): {"items": _PEOPLE},
    ("post", "/leaves"): {"leave_id": _ID},
    ("post", "/leaves/{leave_id}/end"): {"leave_id": _ID},
    ("get", "/caseloads"): {"items": [_LOAD]},
    ("get", "/caseloads/{user_id}"): {"load": _LOAD, "people": _PEOPLE},
    ("post", "/caseloads/{user_id}/preview"): _HANDED,
    ("post", "/caseloads/{user_id}/give"): _HANDED,
    ("get", "/worklist/awaited"): {"items": [{"case_id": _CASE, "case_number": _NUMBER, "person": "Mounir Ben Salah", "branch": "MED", "message": "piece.recue", "name": "Proof of return", "since": _AT}],
                                   "next": None},
    ("post", "/worklist/selection/colleagues"): {"items": [_PERSON | {"tasks": 2}]},
    ("post", "/worklist/selection/preview"): _SELECTION,
    ("post", "/worklist/selection"): _SELECTION,
    ("get", "/worklist/views"): {"items": [{"view_id": _ID, "name": "Reception, late", "filters": {"view": "late", "stage": "accueil"}, "is_shared": True, "is_mine": True, "owner": ""}]},
    ("post", "/worklist/views"): {"view_id": _ID},
    ("post", "/worklist/views/{view_id}/drop"): {"view_id": _ID},
    ("post", "/tasks/{task_id}/pass"): {"task_id": _TASK, "holder_id": _KARIM},
    ("get", "/sittings"): {"items": [{"sitting_id": _ID, "number": "SC-MED-2026-00003", "branch": "MED", "is_open": True, "held_on": _DAY, "files": 29, "to_do": 12}]},
    ("get", "/sittings/{sitting_id}"): {"sitting_id": _ID, "number": "SC-MED-2026-00003", "branch": "MED", "is_open": True, "files": [_FILE], "tasks": [[_TASK, "Sign the minutes"]],
                                        "told": [["Date of the sitting", "18 March 2026"]], "papers": [[_LETTER, {"fr": "Ordre du jour", "ar": "جدول الأعمال", "en": "Agenda"}]], "counts": {"todo": 1}},
    ("get", "/sittings/{sitting_id}/files/{aid_id}"): {
        "file": _FILE, "known": [], "pieces": [{"document_id": _LETTER, "label": "Quotation", "recorded_at": _AT}], "ballot": [{"agency": "CPS", "name": "Amel Dhaouadi", "is_recused": False}],
    },
    ("get", "/aids/{dossier_id}"): {
        "dossier_id": _DOSSIER, "case_id": _CASE, "case_number": _NUMBER, "level": "Level 2", "asked_on": "16 March 2026",
        "programmes": [{"code": "TOUNESNA-EU", "label": "Tounesna, European Union", "version": 2, "valid_from": "2026-01-01", "valid_to": None, "is_open": True, "is_kept": True,
                        "conditions": [_HOLDS], "offers": ["Level 2: TND 15,000.000"]}],
        "pieces": [{"code": "devis", "label": "Quotation", "from_whom": "The person", "is_missing": False}],
        "instalments": [{"rank": 1, "share": "0.5", "amount": 4_000_000, "state": "now", "evidence": [_HOLDS]}],
        "money": {"committed": 8_000_000, "paid": 0, "released": 0, "recovered": 0, "moves": [["committed", 8_000_000, _AT]]}, "fund": _BALANCE, "place": None, "cumul": [], "others": [], "waiting": [],
        "is_open": True, "outcome": "", "payments_held": False, "is_suspended": False,
    },
    ("get", "/funds"): {"items": [_BALANCE]},
    ("get", "/funds/{programme}"): {
        "fund": _BALANCE, "rows": [{"committed": 8_000_000, "paid": 4_000_000, "released": 0, "recovered": 0, "number": _NUMBER, "dossier_id": _DOSSIER, "case_id": _CASE, "is_open": True}],
        "waiting": [{"number": _NUMBER, "dossier_id": _DOSSIER, "case_id": _CASE, "vulnerability": 3, "asked_on": _DAY}], "is_whole": True, "is_even": True,
    },
}  # fmt: skip
