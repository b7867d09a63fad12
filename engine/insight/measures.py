"""The indicators B1–B12 (domain.md §5.3), each one statement over what happened: for every case a numerator and a denominator, in the period and in the one before.

`passage` holds what the ledger tells of tasks, waits, messages and turns; no case is loaded. What a period counts is said by each measure's definition
(`steering.b<n>.what`), what cannot be computed from what is recorded by `steering.b<n>.not`. Not here: who may ask, what is shown of it (`steering`).
"""

from dataclasses import dataclass

PAID = "paiement.confirme"
SERVICES = ("suivi.ouvrir", PAID)  # said by the diagrams at the first service, and at each payment
COMPLETE_AT, MISSING, DIRECT, WRITTEN = "T603", "T602", "T604", "T656"  # instruction begins: the file is complete; pieces asked; decided by one person; by writing
FILED = ("T601_N1", "T601_N2", "T601_N3")
EXITS = ("desistement", "perdu_de_vue", "redepart_etranger", "demenagement_hors_zone", "comportement_agressif")  # reasons of closing that are no end of the way
DECIDES, REFUSED = "dossier.decide", "orientation.refusee"
CLASS = ("D3", "classe")  # the decision that finds how vulnerable somebody is, and which of its results says so
HOUR_OF_AGENT, TRIP = 12, 8  # dinars [inferred, domain.md §5.3]
OF_CASES = ("b8", "b12")  # shares of cases: they tell how many
COUNTS = ("corrected", "held", "asked_again", "refused", "written", "backlog", "loops", "trips")  # what stands beside an indicator and is a number of things
ENOUGH = 50  # times a validation was done before one may say that it never refuses

# Cases one reaches, their dossiers and what runs beside them; of a programme, the cases with an aid dossier in it, without their dossiers in others. Those whose person refused C1 or withdrew it are not of the other agencies', neither by name nor as one of a number.
OWN = """aided AS MATERIALIZED (SELECT root_id, subject FROM fact WHERE :programme <> '' AND field = 'aide.programme' AND is_current AND value #>> '{}' = :programme),
    own AS MATERIALIZED (SELECT instance_id AS root_id, number, branch, opened_at, ended_at, stage, is_kept FROM instance
                  WHERE process = 'parcours' AND root_id = instance_id AND (:branch = '' OR branch = :branch) AND (:programme = '' OR instance_id IN (SELECT root_id FROM aided))
                    AND NOT (is_kept AND coalesce(current_setting('masar.agency', true) IN ('CPS', 'ANETI'), false))),
    part AS MATERIALIZED (SELECT i.instance_id, i.root_id, i.process, i.subject, i.status FROM instance i JOIN own USING (root_id)
                   WHERE :programme = '' OR i.process <> 'dossier_aide' OR i.subject IN (SELECT subject FROM aided)),
    node AS MATERIALIZED (SELECT * FROM jsonb_to_recordset(CAST(:nodes AS jsonb)) AS n(node text, process text, agency text, presence text, stage text, validates boolean)),
    period AS (SELECT * FROM (VALUES (0, CAST(:first AS timestamptz), CAST(:last AS timestamptz)), (1, CAST(:before AS timestamptz), CAST(:first AS timestamptz))) AS s(span, a, b))"""
# Messages and operations of the periods, and what was ever sent of the services; cases that came to their service or ended in the periods, of which the whole way is counted;
# tasks that stood in the periods (from the day before on: of a visit the first task of the day counts), and all those of such cases. Each is read once, however often it is counted.
_OTHER = """other AS MATERIALIZED (SELECT p.instance_id, c.root_id, p.kind, p.node, p.name, p.opened_at, p.closed_at FROM passage p JOIN part c USING (instance_id)
                  WHERE (p.kind = 'message' AND coalesce(p.closed_at, 'infinity') >= :before) OR (p.kind = 'sent' AND p.name = ANY (:said)) OR (p.kind = 'operation' AND p.name = 'recepisse' AND p.opened_at >= :before))"""
_SERVICE = "service AS MATERIALIZED (SELECT p.root_id, min(p.opened_at) AS at FROM other p WHERE p.kind = 'sent' AND p.name = ANY (:services) GROUP BY 1)"
_TASK = """whole AS MATERIALIZED (SELECT root_id FROM service WHERE at >= :before UNION SELECT root_id FROM own WHERE ended_at >= :before),
    task AS MATERIALIZED (SELECT p.instance_id, c.root_id, p.node, p.outcome, p.opened_at, p.claimed_at, p.held_at, p.closed_at, p.due_at, p.closed_seq, n.agency, n.presence, n.node IS NOT NULL AS is_drawn
                            FROM passage p JOIN part c USING (instance_id) LEFT JOIN node n ON n.node = p.node
                           WHERE p.kind = 'task' AND (coalesce(p.closed_at, 'infinity') >= CAST(:before AS timestamptz) - interval '1 day' OR c.root_id IN (SELECT w.root_id FROM whole w)))"""
_TASKS = (_OTHER, _SERVICE, _TASK)
# How vulnerable the person was found to be, and when.
_CLASSED = """classed AS MATERIALIZED (SELECT c.root_id, d.opened_at AS at, d.closed_seq, d.position, k.class FROM passage d JOIN part c USING (instance_id)
                  JOIN jsonb_to_recordset(CAST(:classes AS jsonb)) AS k(rule text, class text) ON k.rule = d.name WHERE d.kind = 'decided')"""
_WITHIN = "JOIN period s ON {at} >= s.a AND {at} < s.b"
_VISIT = """visit AS (SELECT p.root_id, (p.closed_at AT TIME ZONE 'Africa/Tunis')::date AS day, p.presence, min(p.closed_at) AS at FROM task p
                 WHERE p.outcome = 'completed' AND p.presence = ANY (:places) GROUP BY 1, 2, 3)"""
_ASKED = f"""asked_of AS MATERIALIZED (SELECT c.root_id, s.span, sum(a.asks) AS asks, sum(a.again) AS again, sum(a.corrected) AS corrected, sum(a.given) AS given, sum(a.given_held) AS given_held
                  FROM asked a JOIN part c USING (instance_id) {_WITHIN.format(at="a.at")} GROUP BY 1, 2)"""
# Each closed task of a case in order, where it is another agency's than the one before.
_MOVED = """turn AS (SELECT p.root_id, p.agency, lag(p.agency) OVER w AS was, p.closed_at, p.instance_id, p.closed_seq FROM task p WHERE p.outcome = 'completed' AND p.agency <> ''
                   AND p.root_id IN (SELECT o.root_id FROM own o WHERE o.ended_at >= :before) WINDOW w AS (PARTITION BY p.root_id ORDER BY p.closed_at, p.closed_seq, p.instance_id)),
    moved AS (SELECT t.*, lag(t.was) OVER (PARTITION BY t.root_id ORDER BY t.closed_at, t.closed_seq, t.instance_id) AS was_before FROM turn t WHERE t.agency <> t.was)"""
_DECIDED = """decided AS (SELECT p.root_id, p.instance_id, p.closed_at AS at, (SELECT max(k.opened_at) FROM passage k WHERE k.instance_id = p.instance_id AND k.kind = 'task'
                        AND k.node = :complete_at AND k.opened_at <= p.closed_at) AS complete_at
                   FROM (SELECT root_id, instance_id, closed_at FROM other WHERE kind = 'message' AND name = :decides AND closed_at IS NOT NULL
                         UNION ALL SELECT root_id, instance_id, closed_at FROM task WHERE node = :direct AND outcome = 'completed' AND closed_at IS NOT NULL) p)"""
# What is waited through: a task until somebody has it in hand (to its end, where nobody took it in hand), the person, the sitting.
_WAITED = """until AS (SELECT root_id, opened_at, coalesce(held_at, closed_at) AS till, agency AS who FROM task
                   UNION ALL SELECT root_id, opened_at, closed_at, CASE WHEN name = :decides THEN 'sitting' ELSE 'person' END FROM other WHERE kind = 'message' AND name = ANY (:awaited) AND node <> ALL (:listening)),
    waited AS (SELECT u.root_id, s.span, u.who, grouping(u.who) AS is_anybody, range_agg(tstzrange(greatest(u.opened_at, s.a), least(coalesce(u.till, s.b), s.b))) AS stretches
                 FROM until u JOIN period s ON u.opened_at < s.b AND coalesce(u.till, 'infinity') > s.a AND greatest(u.opened_at, s.a) < least(coalesce(u.till, s.b), s.b)
                GROUP BY GROUPING SETS ((u.root_id, s.span), (u.root_id, s.span, u.who)))"""
_WORK = f"""work AS (SELECT p.root_id, s.span, sum(CASE WHEN p.claimed_at IS NULL THEN :usual ELSE least(extract(epoch FROM p.closed_at - p.claimed_at) / 3600, :longest) END) AS hours, count(*) AS done, count(p.claimed_at) AS measured
                  FROM task p {_WITHIN.format(at="p.closed_at")} WHERE p.is_drawn AND p.outcome = 'completed' GROUP BY 1, 2),
    trips AS (SELECT v.root_id, s.span, count(*) AS trips FROM visit v {_WITHIN.format(at="v.at")} GROUP BY 1, 2)"""
_WAYS = """way AS MATERIALIZED (SELECT c.root_id, p.node, p.closed_at, p.way FROM passage p JOIN part c USING (instance_id)
                 WHERE p.kind = 'task' AND p.outcome = 'completed' AND p.node = ANY (ARRAY(SELECT n.node FROM node n WHERE n.validates))),
    usual AS (SELECT node, mode() WITHIN GROUP (ORDER BY way) AS way FROM way GROUP BY 1)"""
_LEFT = """gone AS (SELECT o.root_id, o.ended_at, (f.value #>> '{}') = ANY (:exits) AS has_left FROM own o
                  LEFT JOIN fact f ON f.root_id = o.root_id AND f.field = 'cloture.motif' AND f.is_current AND f.subject = 'case:' || o.root_id WHERE o.ended_at IS NOT NULL)"""


@dataclass(frozen=True)
class Measure:
    """One indicator. `rows`: SQL of (root_id, span, num, den), `more`: the CTEs it needs; `takes`: how cases make the figure: `ratio` (sum of num over sum of den, in %), `mean`
    (of num over den) or `median` (of num, in days, with the ninth tenth); `is_less_better`; `target`: what §5.3 aims at; `worst`: the order of its cases."""

    code: str
    takes: str
    unit: str
    is_less_better: bool
    target: float | None
    rows: str
    more: tuple[str, ...] = ()
    at_tenth: bool = False  # the target is for the ninth tenth
    worst: str = "num DESC"


MEASURES = {
    one.code: one
    for one in (
        Measure("b1", "ratio", "percent", True, 2, "SELECT root_id, span, again AS num, asks AS den FROM asked_of WHERE asks > 0", (_ASKED,)),
        Measure("b2", "mean", "number", True, 5, "SELECT root_id, span, given AS num, 1 AS den FROM asked_of WHERE given > 0", (_ASKED,)),
        Measure("b3", "mean", "number", True, 3, f"""SELECT v.root_id, s.span, count(i.root_id) AS num, 1 AS den
                  FROM service v {_WITHIN.format(at="v.at")} LEFT JOIN visit i ON i.root_id = v.root_id AND i.at <= v.at GROUP BY 1, 2""", (*_TASKS, _VISIT)),
        Measure("b4", "mean", "number", True, 6, f"""SELECT o.root_id, s.span, count(m.root_id) AS num, 1 AS den
                  FROM own o {_WITHIN.format(at="o.ended_at")} LEFT JOIN moved m ON m.root_id = o.root_id GROUP BY 1, 2""", (*_TASKS, _MOVED)),
        Measure("b5", "median", "days", True, 15, f"""SELECT v.root_id, s.span, extract(epoch FROM v.at - o.opened_at) / 86400 AS num, 1 AS den
                                                       FROM service v JOIN own o USING (root_id) {_WITHIN.format(at="v.at")}""", (_OTHER, _SERVICE)),
        Measure("b6", "ratio", "percent", True, 70, """SELECT o.root_id, s.span, coalesce(extract(epoch FROM (SELECT sum(upper(r) - lower(r)) FROM unnest(w.stretches) r)), 0) AS num,
                       extract(epoch FROM least(coalesce(o.ended_at, s.b), s.b) - greatest(o.opened_at, s.a)) AS den
                  FROM own o JOIN period s ON o.opened_at < s.b AND coalesce(o.ended_at, 'infinity') > s.a LEFT JOIN waited w ON w.root_id = o.root_id AND w.span = s.span AND w.is_anybody = 1
                 WHERE least(coalesce(o.ended_at, s.b), s.b) > greatest(o.opened_at, s.a)""", (*_TASKS, _WAITED)),
        Measure("b7", "median", "days", True, 30, f"""SELECT d.root_id, s.span, extract(epoch FROM d.at - d.complete_at) / 86400 AS num, 1 AS den FROM decided d
                                                       {_WITHIN.format(at="d.at")} WHERE d.complete_at IS NOT NULL""", (*_TASKS, _DECIDED), at_tenth=True),
        Measure("b8", "ratio", "percent", False, 80, f"""SELECT f.root_id, s.span, (NOT EXISTS (SELECT FROM passage m WHERE m.instance_id = f.instance_id AND m.kind = 'task' AND m.node = :missing))::int AS num,
                       1 AS den FROM filed f {_WITHIN.format(at="f.at")}""",
                ("filed AS (SELECT c.root_id, p.instance_id, min(p.closed_at) AS at FROM passage p JOIN part c USING (instance_id) WHERE p.kind = 'task' AND p.node = ANY (:filed) "
                 "AND p.outcome = 'completed' GROUP BY 1, 2)",), worst="num, root_id"),
        Measure("b9", "mean", "dinars", True, None, """SELECT w.root_id, w.span, coalesce(w.hours, 0) * :hour + coalesce(t.trips, 0) * :trip AS num, 1 AS den
                  FROM work w LEFT JOIN trips t USING (root_id, span)""", (*_TASKS, _VISIT, _WORK)),
        Measure("b10", "ratio", "percent", False, None, f"""SELECT w.root_id, s.span, (w.way <> u.way)::int AS num, 1 AS den FROM way w JOIN usual u USING (node)
                       {_WITHIN.format(at="w.closed_at")}""", (_WAYS,)),
        Measure("b11", "ratio", "percent", False, 95, f"""SELECT p.root_id, s.span, count(*) FILTER (WHERE p.closed_at <= p.due_at) AS num, count(*) AS den FROM task p {_WITHIN.format(at="p.closed_at")}
                       WHERE p.is_drawn AND p.outcome = 'completed' AND p.due_at IS NOT NULL GROUP BY 1, 2""", _TASKS, worst="sum_den - num DESC"),
        Measure("b12", "ratio", "percent", True, None, """SELECT o.root_id, s.span, coalesce(g.has_left::int, 0) AS num, 1 AS den
                  FROM own o JOIN period s ON o.opened_at < s.b AND coalesce(o.ended_at, 'infinity') >= s.a LEFT JOIN gone g ON g.root_id = o.root_id AND g.ended_at >= s.a AND g.ended_at < s.b""", (_LEFT,)),
    )
}  # fmt: skip

# Figures beside an indicator: rows of (name, span, value[, note]); `name` a code of the texts, or an element of the diagrams.
ASIDE = {
    "b1": "SELECT 'corrected' AS name, span, sum(corrected) AS value FROM asked_of GROUP BY 2",
    "b2": f"""SELECT 'held' AS name, span, sum(given_held) AS value FROM asked_of GROUP BY 2
              UNION ALL SELECT 'asked_again', s.span, count(*) FROM task p {_WITHIN.format(at='p.opened_at')} WHERE p.is_drawn AND p.node = :missing GROUP BY 2""",
    "b4": f"""SELECT 'ping_pong' AS name, s.span, count(m.root_id)::numeric / count(DISTINCT o.root_id) AS value
                FROM own o {_WITHIN.format(at='o.ended_at')} LEFT JOIN moved m ON m.root_id = o.root_id AND m.agency = m.was_before GROUP BY 2
              UNION ALL SELECT 'refused', s.span, count(*) FROM other p {_WITHIN.format(at='p.opened_at')}
               WHERE p.kind = 'sent' AND p.name = :refused GROUP BY 2""",
    "b6": """SELECT w.who AS name, w.span, 100.0 * sum((SELECT sum(extract(epoch FROM upper(r) - lower(r))) FROM unnest(w.stretches) r)) / (SELECT sum(extract(epoch FROM least(coalesce(o.ended_at, s.b), s.b) - greatest(o.opened_at, s.a)))
                FROM own o JOIN period s ON o.opened_at < s.b AND coalesce(o.ended_at, 'infinity') > s.a WHERE s.span = w.span) AS value FROM waited w WHERE w.is_anybody = 0 AND w.who <> '' GROUP BY 1, 2""",
    "b7": f"""SELECT 'to_payment' AS name, s.span, (percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM y.at - d.at) / 86400))::numeric AS value
                FROM (SELECT p.instance_id, min(p.opened_at) AS at FROM other p WHERE p.kind = 'sent' AND p.name = :paid GROUP BY 1) y
                JOIN (SELECT p.instance_id, min(p.closed_at) AS at FROM passage p WHERE (p.kind = 'message' AND p.name = :decides) OR (p.kind = 'task' AND p.node = :direct AND p.outcome = 'completed') GROUP BY 1) d
                     ON d.instance_id = y.instance_id AND d.at <= y.at {_WITHIN.format(at='y.at')} GROUP BY 2
              UNION ALL SELECT 'written', s.span, count(*) AS value FROM passage p JOIN instance i USING (instance_id) {_WITHIN.format(at='p.closed_at')}
               WHERE p.kind = 'task' AND p.node = :written AND p.outcome = 'completed' AND :programme = '' AND (:branch = '' OR i.branch = :branch) GROUP BY 2
              UNION ALL SELECT 'backlog', 0, count(*) FROM other p WHERE p.kind = 'message' AND p.name = :decides AND p.closed_at IS NULL
              UNION ALL SELECT 'backlog_age', 0, max(extract(epoch FROM CAST(:last AS timestamptz) - p.opened_at) / 86400) FROM other p
               WHERE p.kind = 'message' AND p.name = :decides AND p.closed_at IS NULL""",
    "b8": f"""SELECT 'loops' AS name, s.span, count(*) AS value FROM task p {_WITHIN.format(at='p.opened_at')} WHERE p.is_drawn AND p.node = :missing GROUP BY 2""",
    "b9": """SELECT 'measured' AS name, w.span, 100.0 * sum(w.measured) / sum(w.done) AS value FROM work w GROUP BY 2
              UNION ALL SELECT 'hours', w.span, sum(w.hours) FROM work w GROUP BY 2 UNION ALL SELECT 'trips', t.span, sum(t.trips) FROM trips t GROUP BY 2""",
    "b11": f"""SELECT 'receipts' AS name, s.span, 100.0 * count(*) FILTER (WHERE (r.at AT TIME ZONE 'Africa/Tunis')::date = (o.opened_at AT TIME ZONE 'Africa/Tunis')::date) / count(*) AS value
                FROM own o {_WITHIN.format(at='o.opened_at')} LEFT JOIN (SELECT p.root_id, min(p.opened_at) AS at FROM other p
                      WHERE p.kind = 'operation' AND p.name = 'recepisse' GROUP BY 1) r USING (root_id) GROUP BY 2""",
}  # fmt: skip
# Of which figures are told apart by how vulnerable the person is: rows of (root_id, span, num, at).
BY_CLASS = {"b5": f"SELECT v.root_id, s.span, extract(epoch FROM v.at - o.opened_at) / 86400 AS num, v.at FROM service v JOIN own o USING (root_id) {_WITHIN.format(at='v.at')}"}
# By validation: how often it was done since ever, and led elsewhere than it mostly does.
VALIDATIONS = f"""WITH {OWN}, {_WAYS} SELECT w.node, count(*) AS times, count(*) FILTER (WHERE w.way <> u.way) AS others FROM way w JOIN usual u USING (node) GROUP BY 1 ORDER BY 3, 2 DESC"""
# By stage, in the period: cases that entered it, those of them that left from it, and how long they had been in it.
STAGES_LEFT = f"""WITH {OWN}, {_LEFT}, stood AS (SELECT c.root_id, n.stage, min(p.opened_at) AS at FROM passage p JOIN part c USING (instance_id) JOIN node n USING (node) WHERE p.kind = 'task' AND n.stage <> '' GROUP BY 1, 2),
    last AS (SELECT DISTINCT ON (t.root_id) t.root_id, t.stage, t.at FROM stood t WHERE t.stage <> 'cloture' ORDER BY t.root_id, t.at DESC)
    SELECT t.stage, count(*) FILTER (WHERE t.at >= :first AND t.at < :last) AS entered, count(g.root_id) FILTER (WHERE l.stage = t.stage) AS gone,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM g.ended_at - l.at) / 86400) FILTER (WHERE l.stage = t.stage AND g.root_id IS NOT NULL) AS days
      FROM stood t LEFT JOIN last l USING (root_id) LEFT JOIN gone g ON g.root_id = t.root_id AND g.has_left AND g.ended_at >= :first AND g.ended_at < :last GROUP BY 1"""
_FIGURE = {
    "ratio": "(100.0 * sum(num) / nullif(sum(den), 0))::float8 AS value, NULL::float8 AS tenth",
    "mean": "(sum(num)::numeric / nullif(sum(den), 0))::float8 AS value, NULL::float8 AS tenth",
    "median": "percentile_cont(0.5) WITHIN GROUP (ORDER BY num) AS value, percentile_cont(0.9) WITHIN GROUP (ORDER BY num) AS tenth",
}


def figures() -> str:
    """SQL of the figures of all indicators (`name` "": over all and by branch) and of what stands beside them, for both periods: one statement, so that what several count of is read once."""
    parts = [
        f"""SELECT '{one.code}' AS code, '' AS name, r.span, o.branch, {_FIGURE[one.takes]}, count(DISTINCT r.root_id) AS cases, sum(num)::float8 AS num, grouping(o.branch) AS is_any_branch
              FROM ({one.rows}) r JOIN own o USING (root_id) GROUP BY GROUPING SETS ((r.span), (r.span, o.branch))"""
        for one in MEASURES.values()
    ]
    parts += [
        f"""SELECT '{code}', 'class', r.span, coalesce(r.class, ''), {_FIGURE["median"]}, count(DISTINCT r.root_id), NULL, NULL
              FROM (SELECT DISTINCT ON (v.root_id, v.span) v.root_id, v.span, v.num, k.class FROM ({rows}) v LEFT JOIN classed k ON k.root_id = v.root_id AND k.at <= v.at
                     ORDER BY v.root_id, v.span, k.at DESC, k.closed_seq DESC, k.position DESC) r GROUP BY 3, 4"""
        for code, rows in BY_CLASS.items()
    ]
    parts += [f"SELECT '{code}', a.name, a.span, NULL, a.value::float8, NULL, NULL, NULL, NULL FROM ({rows}) a" for code, rows in ASIDE.items()]
    needed = dict.fromkeys((OWN, _CLASSED, *(part for one in MEASURES.values() for part in one.more)))  # of which what stands beside them is counted too
    return f"WITH {', '.join(needed)} {' UNION ALL '.join(parts)} ORDER BY code, name, span, branch"


def cases(one: Measure) -> str:
    """SQL of the cases behind an indicator's figure of the period, the worst first."""
    return f"""WITH {', '.join((OWN, *one.more))}, counted AS ({one.rows}), own_rows AS (SELECT root_id, sum(num) AS num, sum(den) AS sum_den, max(num) AS most FROM counted WHERE span = 0 GROUP BY 1)
        SELECT c.root_id, o.number, o.branch, o.stage, c.num, c.sum_den AS den, c.most FROM own_rows c JOIN own o USING (root_id) ORDER BY {one.worst}, o.number LIMIT :limit OFFSET :offset"""
