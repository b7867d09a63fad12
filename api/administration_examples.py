"""Examples of what administration answers: see `api.examples`."""

from typing import Any

_IMEN, _ZIED, _HAJER = "01999f39-0d21-7b44-a1b2-c3d4e5f60801", "01999f39-0d21-7b44-a1b2-c3d4e5f60802", "01999f39-0d21-7b44-a1b2-c3d4e5f60803"
_PROPOSAL, _REVIEW, _AT = "01999f39-0d21-7b44-a1b2-c3d4e5f60804", "01999f39-0d21-7b44-a1b2-c3d4e5f60805", "2026-03-16T09:12:00Z"
_NAMES = {"fr": "Gafsa", "ar": "قفصة", "en": "Gafsa"}
_ACCOUNT = {
    "user_id": _IMEN,
    "username": "imen.saidi",
    "name": "Imen Saïdi",
    "name_ar": "إيمان السعيدي",
    "agency": "OTE",
    "branch": "MED",
    "roles": ["referent"],
    "language": "ar",
    "is_active": True,
    "created_at": _AT,
    "last_signin_at": None,
    "one_time_until": "2026-03-23T09:12:00Z",
    "proposed": ["rights"],
}
_GIVEN = {"account": _ACCOUNT, "password": "7KQM-2PXA-W9GD-HT4R", "proposal_id": _PROPOSAL}
_ASKED = {
    "proposal_id": _PROPOSAL,
    "user_id": _IMEN,
    "username": "imen.saidi",
    "name": "Imen Saïdi",
    "name_ar": "إيمان السعيدي",
    "kind": "rights",
    "now_agency": "OTE",
    "now_branch": "MED",
    "now_roles": ["referent"],
    "agency": "OTE",
    "branch": "MED",
    "roles": ["chef_antenne", "referent"],
    "reason": "Nommée le 1er mars",
    "proposed_by": _ZIED,
    "proposed_at": _AT,
    "state": "open",
    "decided_by": None,
    "decided_at": None,
    "refusal": "",
    "alone": [],
    "may": ["approve", "refuse"],
}
_SEEN = {
    "review_id": _REVIEW,
    "agency": "",
    "branch": "MED",
    "idle_days": 90,
    "opened_by": _ZIED,
    "opened_at": _AT,
    "closed_by": None,
    "closed_at": None,
    "conclusion": "",
    "accounts": 12,
    "decided": 11,
    "withdrawn": 1,
}
_LINE = {
    "user_id": _IMEN,
    "username": "imen.saidi",
    "name": "Imen Saïdi",
    "name_ar": "إيمان السعيدي",
    "agency": "OTE",
    "branch": "MED",
    "roles": ["referent"],
    "has_changed": False,
    "last_signin_at": None,
    "is_idle": True,
    "decision": "",
    "decided_by": None,
    "decided_at": None,
    "reason": "",
    "may": True,
}
_WHOLE = {"review": _SEEN, "lines": [_LINE]}
_BRANCH = {
    "code": "GAF",
    "versions": [{"valid_from": "2027-03-01", "names": _NAMES, "governorates": ["TN-71"], "agencies": ["OTE", "CPS", "ANETI"], "is_open": True, "state": "to_come"}],
    "staff": 4,
    "committee": [{"name": "Imen Saïdi", "name_ar": "إيمان السعيدي", "agency": "OTE", "roles": ["membre_commission"]}],
    "lacks": ["members", "agency", "president", "secretary"],
}
_DONE = {"branch": _BRANCH, "gave_up": ["SFX"]}
_AGENCIES = {"items": [{"code": "CPS", "versions": [[None, {"fr": "Promotion sociale", "ar": "النهوض الاجتماعي", "en": "Social Promotion"}]],
                        "names": {"fr": "Promotion sociale", "ar": "النهوض الاجتماعي", "en": "Social Promotion"}}]}  # fmt: skip
_VERSION = {"valid_from": "2027-01-01", "valid_to": None, "value": 4, "source": "Note du 3 novembre 2026", "is_inferred": False, "state": "to_come", "version": 0}
_PARAMETER = {"code": "quorum_minimum", "labels": {"fr": "Quorum", "ar": "النصاب", "en": "Quorum"}, "versions": [_VERSION], "fund": None}
_PROGRAMME = {
    "code": "PAD-NL",
    "labels": {"fr": "PAD", "ar": "مشروع PAD", "en": "PAD"},
    "versions": [_VERSION | {"version": 2, "value": {"label": {"fr": "PAD", "ar": "مشروع PAD", "en": "PAD"}, "niveaux": [{"niveau": "N3", "plafond_eur": 6000}]}}],
    "fund": {"available_millimes": 250_000_000, "engaged_millimes": 0, "paid_millimes": 0},
}
_HOLIDAYS = {"items": [{"day": "2027-03-20", "names": {"fr": "Fête de l'Indépendance", "ar": "عيد الاستقلال", "en": "Independence Day"}, "is_estimate": False, "may": True}]}
_ENTRY = {
    "seq": 42,
    "kind": "account.closed",
    "about": f"user:{_IMEN}",
    "at": _AT,
    "actor_id": _HAJER,
    "body": {"agency": "OTE", "branch": "MED", "roles": ["referent"]},
    "said": {"reason": "Mutation"},
}

EXAMPLES: dict[tuple[str, str], Any] = {
    ("get", "/admin/accounts"): {"items": [_ACCOUNT]},
    ("post", "/admin/accounts"): _GIVEN,
    ("get", "/admin/accounts/{user_id}"): _ACCOUNT,
    ("put", "/admin/accounts/{user_id}/names"): _ACCOUNT,
    ("put", "/admin/accounts/{user_id}/rights"): _GIVEN,
    ("post", "/admin/accounts/{user_id}/close"): _ACCOUNT | {"is_active": False},
    ("post", "/admin/accounts/{user_id}/password"): _GIVEN,
    ("get", "/admin/proposals"): {"items": [_ASKED]},
    ("post", "/admin/proposals/{proposal_id}/approve"): _GIVEN | {"proposal_id": None},
    ("post", "/admin/proposals/{proposal_id}/refuse"): {"items": []},
    ("get", "/admin/reviews"): {"items": [_SEEN]},
    ("post", "/admin/reviews"): _WHOLE,
    ("get", "/admin/reviews/{review_id}"): _WHOLE,
    ("post", "/admin/reviews/{review_id}/accounts/{user_id}"): _WHOLE,
    ("post", "/admin/reviews/{review_id}/close"): _WHOLE,
    ("post", "/admin/import/{kind}"): {"kind": "holidays", "count": 0, "is_done": False, "passwords": {}, "proposals": 0,
                                       "errors": [{"line": 3, "severity": "error", "code": "dated.too_soon", "detail": "What is decided today begins tomorrow at the earliest: past days do not change."}]},
    ("get", "/admin/journal"): {"items": [_ENTRY], "next": None},
    ("get", "/admin/branches"): {"items": [_BRANCH]},
    ("post", "/admin/branches"): _DONE,
    ("post", "/admin/branches/{code}/versions"): _DONE,
    ("post", "/admin/branches/{code}/versions/{valid_from}/take-back"): _BRANCH,
    ("get", "/admin/agencies"): _AGENCIES,
    ("post", "/admin/agencies/{code}/versions"): _AGENCIES,
    ("get", "/admin/programmes"): {"items": [_PROGRAMME]},
    ("post", "/admin/programmes/{code}/versions"): _PROGRAMME,
    ("post", "/admin/programmes/{code}/versions/{valid_from}/take-back"): {"items": [_PROGRAMME]},
    ("post", "/admin/programmes/{code}/end"): _PROGRAMME,
    ("post", "/admin/programmes/{code}/fund"): _PROGRAMME,
    ("get", "/admin/parameters"): {"items": [_PARAMETER]},
    ("post", "/admin/parameters/{code}/versions"): _PARAMETER,
    ("post", "/admin/parameters/{code}/versions/{valid_from}/take-back"): _PARAMETER,
    ("get", "/admin/holidays"): _HOLIDAYS,
    ("put", "/admin/holidays/{day}"): _HOLIDAYS,
    ("post", "/admin/holidays/{day}/drop"): _HOLIDAYS,
}  # fmt: skip
