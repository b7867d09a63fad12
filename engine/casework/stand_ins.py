"""What stands in for the world in a trial: operations that touch money, letters, accounts or other cases are told as done and touch nothing, the rest is the real
thing; papers and signatures are taken as given."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from engine import clock
from engine.casework import aid_operations, operations
from engine.casework.instances import Change
from engine.casework.operations import Operation, Outcome
from engine.identity import derived_id
from forms import answers
from forms import form as forms

# Papers and signatures are taken as given.
_GIVEN = {"doc": "00000000-0000-4000-8000-000000000001", "signature": {"name": "…", "strokes": "M10 20L40 5"}}
# These reckon with what they are given and nothing else.
_AS_THEY_ARE = ("retenir", "fixer_rendez_vous", "conservation", "fixer_niveau", "calculer_aide", "preparer_tranche", "programmer_visites", "retirer_dossier", "reorienter_mesure")


def _letter(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    return Outcome({"lettre": str(derived_id(change.held.instance_id, f"{change.held.seq}.lettre"))})


def _referent(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    change.held.referent_id = change.held.referent_id or derived_id(change.held.root_id, "referent")
    return Outcome({"referent": str(change.held.referent_id)})


def _agenda(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Nobody withdraws a file."""
    return Outcome({"dossiers": [{"id": one} for one in change.held.scope.get("aide") or []]})


def _decided(change: Change, parameters: Mapping[str, Any], subject: str) -> Outcome:
    return Outcome({"decides": _agenda(change, parameters, subject).outputs["dossiers"]})


def _no_double(_change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    return Outcome({"doublon": {"cin": "non", "ressemblance": 0, "dossier": "aucun"}})


def _no_parent(_change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    return Outcome({"dossier_parent": "", "numero_parent": ""})


def _committed(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """There is money for everybody."""
    return Outcome({"fonds": "engages", "engage": Decimal(_granted(change)) / 1000, "paye": Decimal(0)})


def _advanced(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    granted = _granted(change)
    return Outcome({"paye": Decimal(granted) / 1000}, [operations.recorded(change, "aide.versement_rang", 1), operations.recorded(change, "aide.versement_montant", granted),
                                                     *aid_operations.paid_so_far(change, granted)])


def _paid(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    amount = aid_operations.millimes(aid_operations.aid_of(change).get("versement_montant"))
    paid = aid_operations.millimes(parameters.get("deja")) + amount
    return Outcome({"paye": Decimal(paid) / 1000, "verse": Decimal(amount) / 1000}, aid_operations.paid_so_far(change, paid))


def _released(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    owed, free = aid_operations.owed_of(change), max(_granted(change) - aid_operations.millimes(parameters.get("paye")), 0)
    return Outcome({"libere": Decimal(free) / 1000, "reste": Decimal(owed) / 1000}, aid_operations.left_to_give_back(change, owed))


def _recovered(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    back = aid_operations.millimes(parameters.get("montant"))
    if (due := parameters.get("du")) is not None:  # of a plan (X11), of which a trial has no aid
        rest = max(aid_operations.millimes(due) - back, 0)
        return Outcome({"recouvre": Decimal(back) / 1000, "reste": Decimal(rest) / 1000}, [operations.recorded(change, "fraude.reste_du", rest)])
    left = aid_operations.millimes(aid_operations.aid_of(change).get("reste_a_rendre")) - back
    return Outcome({"recouvre": Decimal(back) / 1000, "reste": Decimal(max(left, 0)) / 1000}, aid_operations.left_to_give_back(change, left))


def _agreed(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    return Outcome({}, [operations.recorded(change, "fraude.reste_du", aid_operations.millimes(parameters.get("montant")))])


def _handed(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    code = str(parameters.get("antenne") or "")
    if code not in {row["code"] for row in change.tables.branches}:
        raise operations.CannotRun("operation.no_branch")
    change.held.branch = code
    return Outcome({"branche": code})


def _erased(change: Change, parameters: Mapping[str, Any], subject: str) -> Outcome:
    return Outcome({"efface_le": operations.REGISTERED["conservation"](change, parameters, subject).outputs["conserve_depuis"]})


def _offered(change: Change, parameters: Mapping[str, Any], subject: str) -> Outcome:
    left = change.held.branch
    return Outcome({**_handed(change, parameters, subject).outputs, "antenne_depart": left})


def _one_absence(_change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    return Outcome({"absences_comptees": 1})


def _closed_today(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    return Outcome({"cloture_le": clock.today(change.at)})


def _nothing(_change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    return Outcome()


def _withdrawn(_change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    return Outcome({"portees": list(parameters.get("portees") or ())})


def _measures(_change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """A trial is of one case: none of another's measures is under way."""
    return Outcome({"mesures": []})


def _no_relief(_change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    return Outcome({"relais": "OTE", "pretee": ""})


def _granted(change: Change) -> int:
    return aid_operations.granted_of(change)[1]


STAND_INS: dict[str, Operation] = {
    "recepisse": _letter, "lettre": _letter, "convoquer": _letter, "designer_referent": _referent, "rechercher_doublons": _no_double, "rattacher_dossier_parent": _no_parent,
    "engager_fonds": _committed, "verser_avance": _advanced, "verser_tranche": _paid, "liberer_fonds": _released, "recouvrer": _recovered, "confier_antenne": _handed,
    "effacer_signalement": _erased, "reprendre_signalement": _nothing,
    "proposer_antenne": _offered, "retirer_proposition": _handed, "transferer_dossier": _nothing, "suspendre_dossier": _nothing, "reprendre_dossier": _nothing,
    "clore_dossier": _nothing, "arreter_aides": _nothing, "rouvrir_dossier": _nothing, "retenir_versements": _nothing, "liberer_versements": _nothing,
    "compter_absences": _one_absence, "retrouver_cloture": _closed_today, "retrouver_decision": _nothing, "retrouver_verse": _nothing, "retrouver_aides": _nothing, "convenir_remboursement": _agreed, "fermer_acces": _withdrawn, "confier_tache": _nothing, "chercher_relais": _no_relief,
    "mesures_en_cours": _measures, "refuser_orientation": _measures, "abandonner_mesure": _nothing, "ordre_du_jour": _agenda, "dossiers_decides": _decided,
}  # fmt: skip


def acts() -> dict[str, Operation]:
    """Every operation of a trial, by name."""
    return {**STAND_INS, **{name: operations.REGISTERED[name] for name in _AS_THEY_ARE}}


def with_papers(form: forms.Form, raw: Mapping[str, Any], around: Mapping[str, Any]) -> dict[str, Any]:
    """The answers with every paper and signature that the form asks, as though they had been handed in."""
    said, asked = dict(raw), answers.asked(form, raw, around)
    for question in form.questions():
        name = question.spec.id
        if question.spec.type in _GIVEN and name in asked:
            said.setdefault(name, _GIVEN[question.spec.type])
        elif isinstance(rows := said.get(name), list):
            papers = {cell.id: _GIVEN[cell.type] for cell in question.rows if cell.type in _GIVEN}
            said[name] = [{**papers, **row} if isinstance(row, Mapping) else row for row in rows]
    still = answers.asked(form, said, around)  # what stands in the place of a paper is not said beside it
    return {name: value for name, value in said.items() if name in still or name not in asked}


def without_papers(form: forms.Form) -> forms.Form:
    """The form without what is taken as given, in the rows of its lists too."""
    sections = []
    for section in form.sections:
        kept = [replace(one, rows=tuple(cell for cell in one.rows if cell.type not in _GIVEN)) for one in section.questions if one.spec.type not in _GIVEN]
        if kept:
            sections.append(replace(section, questions=tuple(kept)))
    return replace(form, sections=tuple(sections))
