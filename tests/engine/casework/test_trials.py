"""A draft walked by hand: invented answers through the forms people get, dossiers and sittings beside the case, time that jumps, a step back; kept as scenarios
that the judge plays; and nothing of it outside."""

import pytest
from sqlalchemy import text

from engine import errors
from engine.casework import archives, drafts, publication, scenarios, trials
from engine.demo.invention import invented
from tests import world as worlds

E = "processes/evaluation.bpmn"


@pytest.fixture(scope="module")
def town(make_database):
    database = make_database(worlds.furnish)
    return worlds.World(database)


@pytest.fixture(scope="module")
def meriem(town):
    return town.agent("OTE", "TUN", "coordinateur")


@pytest.fixture
def draft(town, meriem):
    with town.database.unit_of_work(meriem) as session:
        return drafts.open_draft(session, meriem, "essai")


class Hand:
    """Somebody who walks a draft."""

    def __init__(self, town, actor, draft, wish="social"):
        self.town, self.actor, self.draft, self.wish = town, actor, draft, wish
        with town.database.unit_of_work(actor) as session:
            self.trial = trials.begin(session, actor, draft, "parcours", "MED", wish=wish)

    def act(self, **wanted):
        with self.town.database.unit_of_work(self.actor) as session:
            self.trial = trials.act(session, self.actor, self.draft, wanted, self.trial.version)
        return self

    def answers(self, node="", **said):
        turn = next(one for one in self.trial.town.turns() if one.node.startswith(node))
        given = {"retour.pays": "FR"} | {name.replace("__", "."): value for name, value in said.items()}
        return self.act(do="answer", instance=turn.instance, node=turn.node, turn=turn.turn, answers=invented(self.trial.town, turn, given, self.wish))

    def on(self, most=300, until=lambda trial: False):
        """Answers whatever waits, and jumps where nobody has anything to do, until everything is over."""
        for _ in range(most):
            if until(self.trial) or not any(walk.is_open for walk in self.trial.town.walks):
                break
            if self.trial.town.turns():
                self.answers()
            else:
                self.act(do="jump")
        return self

    @property
    def nodes(self):
        return [one.node for one in self.trial.town.turns()]

    @property
    def processes(self):
        return [(walk.held.process, walk.is_open) for walk in self.trial.town.walks]


def count(town):
    with town.database.reading(worlds.users.system()) as session:
        return session.execute(text("SELECT (SELECT count(*) FROM instance) + (SELECT count(*) FROM fact) + (SELECT count(*) FROM person) + (SELECT count(*) FROM letter) "
                                    "+ (SELECT count(*) FROM ledger_line) + (SELECT count(*) FROM message) + (SELECT count(*) FROM document)")).scalar_one()  # fmt: skip


def test_a_whole_pathway_is_walked_with_its_dossier_and_nothing_of_it_is_outside(town, meriem, draft):
    before = count(town)
    hand = Hand(town, meriem, draft)
    assert hand.nodes == ["T101"] and any(one.kind == "timer" for one in hand.trial.town.waiting())
    turn = hand.trial.town.turns()[0]
    assert turn.agency == "OTE" and turn.role == "agent_accueil" and "person.cin" in [question.spec.id for question in turn.form.questions()]
    assert not {"doc", "signature"} & {question.spec.type for question in turn.form.questions()}, "papers are taken as given"
    hand.on()
    assert hand.processes == [("parcours", False), ("dossier_aide", False)], hand.nodes
    assert count(town) == before
    with town.database.unit_of_work(meriem) as session:
        made = scenarios.of_trial(session, meriem, draft, "Une aide d'urgence")
        whole, kept, sheets = scenarios.listed(session, meriem, draft)
    assert len(made) == 2 and set(made) < {one.path for one in kept} and all(one.finding is None and one.is_whole for one in kept)
    assert {archives.kind_of(path) for path in made} == {"scenarios"}
    covered = {one.process: one for one in sheets}
    assert "T101" in covered["accueil"].passed and "T101" not in covered["accueil"].missed and covered["urgence_sociale"].missed
    assert [one for one in publication.findings(whole) if one.code.startswith("scenario.")] == []
    names = [invented(hand.trial.town, turn, {}, "social")[name] for name in ("person.cin", "person.nom_fr", "person.tel")]
    written = b"".join(whole.files[path] for path in made).decode()
    assert not any(name in written for name in names) and str(hand.trial.town.name) not in written and "TN-MED-20" not in written

    # A change that the walk does not survive forbids publication, naming the step.
    with town.database.unit_of_work(meriem) as session:
        content = drafts.read(session, meriem, draft, E).content.decode()
        drafts.save(session, meriem, draft, E, content.replace('form="f22" role="travailleur_social"', 'form="f22" role="chef_cps"').replace('id="T202"', 'id="T202bis"')
                    .replace('"T202"', '"T202bis"').replace(">T202<", ">T202bis<").encode(), 0)  # fmt: skip
        findings = [one for one in publication.findings(drafts.show(session, meriem, draft)) if one.code.startswith("scenario.")]
    assert {(one.code, one.severity) for one in findings} == {("scenario.opens_other", "error")} and [one.where.startswith(f"{made[0]}#") for one in findings].count(True) == 1
    with town.database.unit_of_work(meriem) as session:
        assert trials.show(session, meriem, draft).lost > 0, "the trial goes as far as the draft allows"
        scenarios.remove(session, meriem, draft, made[0])
        rows = [(one.finding is None, one.path) for one in scenarios.listed(session, meriem, draft)[1]]
        assert rows == sorted(rows) and rows != sorted(rows, key=lambda one: one[1]), "what no longer goes as it should stands first"
        kept = {one.path: one for one in scenarios.listed(session, meriem, draft)[1]}
        assert made[0] not in kept and made[1] in kept
        broken = {path: one for path, one in kept.items() if one.finding}
        assert all(one.change and "T202bis" in one.change.added and "T202" in one.change.gone for one in broken.values()), "what would change is told before"
        assert kept[made[1]].finding is None and scenarios.renew_all(session, meriem, draft, [*broken, made[1], "processes/scenarios/none.toml"]) == len(broken) > 1
        anew = scenarios.listed(session, meriem, draft)[1]
        assert anew and all(one.finding is None and one.is_whole for one in anew)


def test_a_wrong_answer_changes_nothing_and_a_step_back_is_a_step_back(town, meriem, draft):
    hand = Hand(town, meriem, draft)
    with pytest.raises(errors.Invalid, match="task.answers") as refused:
        hand.act(do="answer", instance=0, node="T101", turn=1, answers={"person.cin": "12"})
    assert any(one.where == "/person.cin" for one in refused.value.findings)
    with town.database.reading(meriem) as session:
        assert trials.show(session, meriem, draft).version == 1
    hand.answers()
    nodes = hand.nodes
    assert nodes and nodes != ["T101"]
    with pytest.raises(errors.Conflict, match="trial.no_task"):
        hand.act(do="answer", instance=0, node="T101", turn=1, answers={})
    with town.database.unit_of_work(meriem) as session, pytest.raises(errors.Conflict, match="trial.stale"):
        trials.act(session, meriem, draft, {"do": "jump"}, 1)
    with town.database.unit_of_work(meriem) as session:
        hand.trial = trials.back(session, meriem, draft, hand.trial.version)
    assert hand.nodes == ["T101"]
    assert hand.answers().nodes == nodes, "the same again"


def test_a_message_that_comes_takes_another_road_and_time_stops_where_something_falls_due(town, meriem, draft):
    hand = Hand(town, meriem, draft)
    wait = next(one for one in hand.trial.town.waiting() if one.name == "cloture.demandee")
    hand.act(do="hear", instance=wait.instance, node=wait.node, turn=wait.turn, payload={})
    assert list(hand.nodes) == ["T801"], "the closure in place of the reception"
    began = hand.trial.town.now
    hand.act(do="wait", days=10)
    assert (hand.trial.town.now - began).days == 10
    hand = Hand(town, meriem, draft)
    began = hand.trial.town.now
    hand.act(do="jump")
    due = [one.due_at for one in hand.trial.town.waiting() if one.due_at]
    assert hand.trial.town.now > began and all(one >= hand.trial.town.now for one in due)


def test_a_trial_is_its_coordinators_alone(town, meriem, draft):
    Hand(town, meriem, draft)
    other = next(one for one in town.staff.values() if "coordinateur" in one.roles and one.user_id != meriem.user_id)
    with town.database.reading(other) as session:
        assert trials.show(session, other, draft) is None
        assert session.execute(text("SELECT count(*) FROM trial")).scalar_one() == 0
    for role, agency, branch in (("chef_antenne", "OTE", "MED"), ("auditeur", "OTE", "TUN")):
        actor = town.agent(agency, branch, role)
        with town.database.reading(actor) as session, pytest.raises(errors.Forbidden):
            trials.show(session, actor, draft)
    with town.database.unit_of_work(meriem) as session:
        trials.drop(session, meriem, draft)
        assert trials.show(session, meriem, draft) is None


def test_a_real_case_makes_a_scenario_of_nobody(town, meriem, draft):
    case = town.receive({"person.cin": "09876543", "person.nom_fr": "Zarrouk", "person.prenom_fr": "Habiba", "person.nom_ar": "زروق", "person.prenom_ar": "حبيبة",
                         "person.naissance_date": "1991-07-23", "person.tel": "+21698765432", "person.gouvernorat": "TN-82", "person.delegation": "TN-82-03"})  # fmt: skip
    for node in ("T101", "T102", "T104", "T106"):
        town.does(case, node)
    number = town.file(case).case_number
    with town.database.unit_of_work(meriem) as session:
        with pytest.raises(errors.Invalid, match="scenario.title"):
            scenarios.of_case(session, meriem, draft, number, f"Comme {number}")
        (path,) = scenarios.of_case(session, meriem, draft, number.lower(), "Accueil ordinaire")
        whole, kept, _ = scenarios.listed(session, meriem, draft)
    written = whole.files[path].decode()
    assert kept[0].finding is None and kept[0].made_of == "case" and kept[0].steps >= 5
    for value in ("09876543", "Zarrouk", "Habiba", "زروق", "1991-07-23", "98765432", "TN-82-03", number, str(case), str(town.today().year)):
        assert value not in written, value
    with town.database.unit_of_work(meriem) as session:
        for nobody in ("TN-MED-1999-00001", ""):
            with pytest.raises(errors.NotFound, match="case.not_found"):
                scenarios.of_case(session, meriem, draft, nobody, "Personne")


def test_where_the_draft_leads_a_case_elsewhere_nothing_is_kept_before_it_is_said_what_is_expected(town, meriem, draft):
    case = town.receive({"person.cin": "09876544", "person.nom_fr": "Zarrouk", "person.prenom_fr": "Salwa", "person.tel": "+21698765433"})
    for node in ("T101", "T102", "T104"):
        town.does(case, node)
    number = town.file(case).case_number
    with town.database.unit_of_work(meriem) as session:
        file = "processes/accueil.bpmn"
        content = drafts.read(session, meriem, draft, file).content
        drafts.save(session, meriem, draft, file, content.replace(b'"T104"', b'"T104bis"').replace(b">T104<", b">T104bis<"), 0)
    with town.database.unit_of_work(meriem) as session, pytest.raises(errors.Conflict, match="scenario.differs"):
        scenarios.of_case(session, meriem, draft, number, "Accueil", "")

    def kept(session):
        return {one.process: one for one in scenarios.listed(session, meriem, draft)[1] if one.title == "Accueil"}

    with town.database.reading(meriem) as session:
        assert kept(session) == {}
        seen = {one.process: one for one in scenarios.foreseen(session, meriem, draft, number, "Accueil")}
        assert seen["parcours"].finding and (seen["parcours"].change.added, seen["parcours"].change.gone) == (("T104bis",), ("T104",))
    with town.database.unit_of_work(meriem) as session:
        paths = scenarios.of_case(session, meriem, draft, number, "Accueil", "draft")
        assert kept(session).keys() == seen.keys() and not any(one.finding for one in kept(session).values()), "it expects what the draft does"
        for path in paths:
            scenarios.remove(session, meriem, draft, path)
        scenarios.of_case(session, meriem, draft, number, "Accueil", "case")
        assert kept(session) == seen
