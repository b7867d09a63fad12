"""One measure of a plan that ends or comes back alone: the person gives it up (X4), or its agency refuses it, as somebody says from the case's page (X12).

The diagram that was begun beside the case finds the measures of a kind that are there to be told (`mesures`: those whose diagram listens), and sends each its message; the
measure's own diagram says what becomes of it. Not here: an agency that answers in its own task, and who decides after a second refusal (`referrals`).
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

from engine.actors.agencies import OTE
from engine.casework import endings, operations, orders
from engine.casework.instances import Change
from engine.casework.operations import Outcome

GIVEN_UP, REFUSED = "mesure.abandonnee", "orientation.refusee"  # what a measure's diagram hears; key: the measure
_LISTENING = text("""SELECT DISTINCT w.correlation FROM wait w JOIN instance i USING (instance_id)
                       JOIN fact f ON f.root_id = i.root_id AND f.subject = 'mesure:' || w.correlation AND f.field = 'mesure.type' AND f.is_current
                      WHERE i.root_id = :root AND w.kind = 'message' AND w.name = :message AND f.value #>> '{}' = :kind
                        AND (:agency = :owner OR EXISTS (SELECT FROM open_task t WHERE t.root_id = i.root_id AND t.subject = f.subject AND t.agency = :agency)) ORDER BY w.correlation""")
_ITS_AID = text("SELECT instance_id FROM instance WHERE root_id = :root AND status = 'open' AND subject = :aid")
_SAID = ("acceptation_motif", "contre_proposition")


@operations.operation("mesures_en_cours", "mesure")
def under_way(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """The measures of a kind (`mesure`) that are under way in the case: `mesures`, none where it has none."""
    return Outcome({"mesures": [{"id": one} for one in _listening(change, parameters, GIVEN_UP, OTE)]})


@operations.operation("abandonner_mesure")
def give_up(change: Change, _parameters: Mapping[str, Any], subject: str) -> Outcome:
    """The measure it is about is given up: that is its outcome, the aid asked for it ends with it, and what was agreed for it is called off."""
    aid = f"aide:{subject.partition(':')[2]}"
    orders.give(change, "ordre.cloture", {"motif": "desistement"}, change.session.execute(_ITS_AID, {"root": change.held.root_id, "aid": aid}).scalars())
    orders.give(change, "ordre.rendez_vous", {"mesure": subject}, [change.held.root_id])
    return Outcome({}, [operations.recorded(change, "mesure.issue", "abandonnee", [subject], is_said=True)])


@orders.order("ordre.rendez_vous")
def _called_off(change: Change, payload: Mapping[str, Any]) -> None:
    if endings.call_off_all(change, "mesure", of=str(payload.get("mesure"))):
        change.write()


@operations.operation("refuser_orientation", "mesure")
def refuse(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """An agency refuses the measures of a kind (`mesure`) that wait for its answer, with the reasons said: `mesures`, none where nothing waits, or not for her agency who says so."""
    found = _listening(change, parameters, REFUSED, change.actor.agency or OTE)
    said = {"acceptation": "refusee"} | {name: value for name in _SAID if (value := orders.said(change, "refus_signale", name)) is not None}
    new = [operations.recorded(change, f"mesure.{name}", value, [f"mesure:{one}"], is_said=True) for one in found for name, value in said.items()]
    return Outcome({"mesures": [{"id": one} for one in found]}, new)


def _listening(change: Change, parameters: Mapping[str, Any], message: str, agency: str) -> list[str]:
    told = {"root": change.held.root_id, "kind": str(parameters.get("mesure") or ""), "message": message, "agency": agency, "owner": OTE}
    return list(change.session.execute(_LISTENING, told).scalars())
