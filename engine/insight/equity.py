"""Equity of decisions on aid (domain.md §5.4): who is granted and who waits how long, by sex, branch, return, reading and age; what should be looked at.

A case is counted once: granted where one of its aids decided in the period was, and as long in waiting as the slowest of them. A group is worth a look where at least `ENOUGH` cases
were decided in it and in the best of such groups, and its share of granted is under `LEAST` of the best's, or the best's days under `LEAST` of its own. Of fewer than five nobody is
told, within OTE neither: a group granted or refused, and as many others as would tell it; that a group is worth a look is said all the same. What makes a difference is not said here, and no one is accused: it says where to look.
"""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from engine.casework import editions
from engine.i18n import translate
from engine.insight import masking, steering
from engine.insight.measures import OWN
from engine.insight.steering import Window
from forms import text as words

LEAST, ENOUGH = 0.8, 20  # four fifths, of groups large enough (§5.4)
GRANTED, DECIDED = ("accorde", "sous_reserve"), ("accorde", "sous_reserve", "refuse")
# By what: the field whose words its groups have.
BY: Mapping[str, str] = {"sex": "person.sexe", "branch": "branch", "kind": "retour.type", "reads": "person.lit_ecrit", "age": "age"}
_FIELDS = ("person.sexe", "person.lit_ecrit", "person.naissance_date", "retour.type")

_RULED = text(f"""WITH {OWN}, decision AS (SELECT c.root_id, c.instance_id, f.recorded_at AS at, f.value #>> '{{}}' AS found FROM part c
            JOIN fact f ON f.root_id = c.root_id AND f.subject = c.subject AND f.field = 'aide.decision' AND f.is_current
           WHERE c.process = 'dossier_aide' AND f.recorded_at >= :first AND f.recorded_at < :last AND f.value #>> '{{}}' = ANY (:decided)),
    complete AS (SELECT d.instance_id, max(p.opened_at) AS at FROM decision d JOIN passage p USING (instance_id) WHERE p.kind = 'task' AND p.node = :complete_at AND p.opened_at <= d.at GROUP BY 1),
    ruled AS (SELECT d.root_id, bool_or(d.found = ANY (:granted)) AS is_granted, max(extract(epoch FROM d.at - k.at) / 86400) AS days FROM decision d LEFT JOIN complete k USING (instance_id) GROUP BY 1),
    said AS (SELECT r.root_id, f.field, f.value #>> '{{}}' AS value FROM ruled r JOIN instance i ON i.instance_id = r.root_id JOIN fact f ON f.person_id = i.person_id
              WHERE f.field = ANY (:fields) AND f.is_current AND (f.field LIKE 'person.%' OR f.root_id = r.root_id)),
    one AS (SELECT r.root_id, r.is_granted, r.days, o.branch, max(s.value) FILTER (WHERE s.field = 'person.sexe') AS sex, max(s.value) FILTER (WHERE s.field = 'retour.type') AS kind,
                   max(s.value) FILTER (WHERE s.field = 'person.lit_ecrit') AS reads, extract(year FROM CAST(:last AS timestamptz)) - left(max(s.value) FILTER (WHERE s.field = 'person.naissance_date'), 4)::int AS years
              FROM ruled r JOIN own o USING (root_id) LEFT JOIN said s USING (root_id) GROUP BY 1, 2, 3, 4)
    SELECT g.by, coalesce(g.code, '') AS code, count(*) AS decided, count(*) FILTER (WHERE is_granted) AS granted, percentile_cont(0.5) WITHIN GROUP (ORDER BY days) AS days, count(days) AS measured
      FROM one CROSS JOIN LATERAL (VALUES ('sex', sex), ('branch', branch), ('kind', kind), ('reads', reads), ('age', CASE WHEN years IS NULL THEN '' WHEN years < 18 THEN 'under_18' WHEN years < 26 THEN '18_25'
           WHEN years < 36 THEN '26_35' WHEN years < 61 THEN '36_60' ELSE 'over_60' END)) g(by, code) GROUP BY 1, 2 ORDER BY 1, 2""")


@dataclass(frozen=True)
class Counted:
    """Of a group: cases decided, those granted, the days of the middle one, and of how many these are known."""

    decided: int
    granted: int
    days: float | None
    measured: int


@dataclass(frozen=True)
class Part:
    """A group as it is shown, None where it is not. `share` granted, in %; `share_ratio` to the best share, `days_ratio` of the best days to its own: None where the group or the best is too small
    to compare or not shown; `alerts`: `share`, `days`, whether shown or not."""

    code: str
    label: str
    decided: int | None
    granted: int | None
    share: float | None
    share_ratio: float | None
    days: float | None
    days_ratio: float | None
    alerts: tuple[str, ...]


@dataclass(frozen=True)
class Check:
    """By one thing: its groups. `is_compared`: whether two of them are large enough."""

    by: str
    parts: tuple[Part, ...]
    is_compared: bool


def checks(session: Session, actor: Any, asked: Window) -> tuple[Check, ...]:
    """Of the decisions of the period, by each of `BY`. Refuses: Forbidden."""
    return told(counted(session, actor, asked), editions.current(session), actor.language)


def counted(session: Session, actor: Any, asked: Window) -> dict[str, dict[str, Counted]]:
    """By what → group → what was counted, nothing hidden: not to be shown. Refuses: Forbidden."""
    found: dict[str, dict[str, Counted]] = {by: {} for by in BY}
    for row in steering.ask(session, actor, asked, _RULED, granted=list(GRANTED), decided=list(DECIDED), fields=list(_FIELDS)):
        found[row.by][row.code] = Counted(row.decided, row.granted, None if row.days is None else float(row.days), row.measured)
    return found


def told(found: Mapping[str, Mapping[str, Counted]], edition: editions.Edition, language: str) -> tuple[Check, ...]:
    """As it is shown: compared, and what is small hidden."""
    away: frozenset[Hashable] = frozenset().union(*(masking.hidden(cells(one), sums(one)) for by, groups in found.items() for one in [{by: groups}]))
    return tuple(labelled(one, edition, language) for one in compared(found, away))


def compared(found: Mapping[str, Mapping[str, Counted]], away: Collection[Hashable]) -> tuple[Check, ...]:
    """Without labels, and without what is `away` (of `cells`)."""
    return tuple(_check(by, groups, {code for code in groups if {("equity", by, code), ("equity", by, code, 0), ("equity", by, code, 1)} & set(away)}) for by, groups in found.items())


def labelled(one: Check, edition: editions.Edition, language: str) -> Check:
    return replace(one, parts=tuple(replace(part, label=_label(edition, one.by, part.code, language)) for part in one.parts))


def cells(found: Mapping[str, Mapping[str, Counted]]) -> dict[Hashable, int]:
    """Of each group: the decided, the granted (0) and the refused (1)."""
    told: dict[Hashable, int] = {("equity", by, code): one.decided for by, groups in found.items() for code, one in groups.items()}
    return told | {("equity", by, code, side): number for by, groups in found.items() for code, one in groups.items() for side, number in enumerate((one.granted, one.decided - one.granted))}


def sums(found: Mapping[str, Mapping[str, Counted]], granted: Hashable | None = None, refused: Hashable | None = None) -> list[masking.Sum]:
    """How they hang together; `granted`, `refused`: the cells that say how many these are of all, where everybody does not know."""
    told = [masking.Sum(("equity", by, code), [("equity", by, code, 0), ("equity", by, code, 1)]) for by, groups in found.items() for code in groups]
    for by, groups in found.items():
        told += [masking.Sum(None, [("equity", by, code) for code in groups]), *(masking.Sum(whole, [("equity", by, code, side) for code in groups]) for side, whole in enumerate((granted, refused)))]
    return told


def _check(by: str, groups: Mapping[str, Counted], away: Collection[str]) -> Check:
    shares = {code: one.granted / one.decided for code, one in groups.items() if one.decided >= ENOUGH}
    waits = {code: one.days for code, one in groups.items() if one.days and one.measured >= ENOUGH}
    parts = []
    for code, one in groups.items():
        ratios = {"share": _ratio(shares, code, is_most_best=True), "days": _ratio(waits, code, is_most_best=False)}
        alerts = tuple(name for name, (ratio, _) in ratios.items() if ratio is not None and ratio < LEAST)
        if code in away:
            parts.append(Part(code, "", None, None, None, None, None, None, alerts))
            continue
        share, days = (None if best in away else ratio for ratio, best in ratios.values())
        parts.append(Part(code, "", one.decided, one.granted, 100 * one.granted / one.decided, share, one.days if one.measured >= masking.FEWEST else None, days, alerts))
    return Check(by, tuple(parts), max(len(shares), len(waits)) > 1)


def _ratio(figures: Mapping[str, float], code: str, is_most_best: bool) -> tuple[float | None, str]:
    """Of a group against the best, and which that is; nothing of those too small, or where there is nobody to compare with."""
    if code not in figures or len(figures) < 2:
        return None, ""
    best = (max if is_most_best else min)(figures, key=lambda one: figures[one])
    worse, better = sorted((figures[code], figures[best]))
    return (round(worse / better, 6) if better else 1.0), best


def _label(edition: editions.Edition, by: str, code: str, language: str) -> str:
    if not code:
        return translate("web.steering.report.unknown", language)
    if by in ("branch", "age"):
        return translate(f"web.branch.{code}" if by == "branch" else f"web.steering.report.age.{code}", language)
    field = edition.dictionary.fields.get(BY[by])
    return words.display(field, code, language) if field is not None else code
