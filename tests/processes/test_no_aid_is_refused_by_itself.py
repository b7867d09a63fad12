"""No refusal is automatic (domain.md §5.4), as the equity page says: a rule can only propose, a person decides and signs. That no operation writes her word is seen at the end of each story."""

import pytest

from engine.pathway.spiff.activities import PersonTask
from engine.pathway.spiff.gateways import ExclusiveGateway
from engine.pathway.walks import Walks
from forms import dictionary
from tests.processes import every_path, reading

# How the file of an aid, or a case, ends refused, and what a person answers before.
REFUSALS = {"dossier_aide_fin_refusee": "aide.decision", "dossier_aide_fin_classee": "aide.suite_pieces", "dossier_aide_fin_reserves": "aide.reserves_levees", "parcours_fin_refuse": "accueil.refus_motif"}
# The same question twice: a file that came out of its making complete is not taken, at the next gateway, for one that is not.
HANDED = {"completude.complet = false": "est_complet = false"}


@pytest.fixture(scope="module")
def edition():
    return every_path.edition()


def come_to(edition, silent=frozenset()):
    """The refusals that files and cases come to where nobody answers the `silent` questions: what those tasks are followed by is not come to, but by what rings or is heard on them."""
    walks = Walks(edition.definitions)
    starts = [entry for process in ("dossier_aide", "parcours") for entry in edition.definitions.spec(process).entries]
    ahead, came = [(one, frozenset()) for one in starts], set()
    while ahead:
        here = element, denied = ahead.pop()
        if here in came:
            continue
        came.add(here)
        note = element.extensions.task if isinstance(element, PersonTask) else None
        asked = {ask.field for section in edition.forms[note.form].sections for ask in section.ask} if note else set()
        if asked & silent:
            ahead += [(one, denied) for one in element.boundaries]
        elif isinstance(element, ExclusiveGateway) and element.flows_out[1:]:
            texts = {flow.condition.text for flow in element.flows_out if flow.condition is not None}
            for flow in element.flows_out:
                said = flow.condition.text if flow.condition is not None else ""
                if said in denied or any(f'{answer} = "refuse"' in said for answer in silent):
                    continue
                ahead.append((flow.target, denied | {HANDED[one] for one in texts & HANDED.keys() if one != said} - {HANDED.get(said)}))
        else:
            ahead += [(one, denied) for one in walks.after(element)]
    return {element.id for element, _ in came} & REFUSALS.keys()


def test_without_somebody_who_refuses_no_file_and_no_case_is_refused(edition):
    assert come_to(edition) == REFUSALS.keys()
    for end, answer in REFUSALS.items():
        assert end not in come_to(edition, frozenset({answer})), f"{end} without anybody's {answer}"


def test_what_refuses_is_answered_and_never_reckoned():
    fields = dictionary.load(reading.DICTIONARY).fields
    assert [one for one in REFUSALS.values() if fields[one].computed is not None or fields[one].optional] == []
