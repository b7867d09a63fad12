"""Thirty tasks are chosen and looked at; meanwhile one is finished and another's case is closed. Each has its line, by its name, with what to do; none is lost."""

from sqlalchemy import text

from engine.actors import users
from engine.casework import selections


def test_what_was_finished_or_closed_meanwhile_keeps_its_name_and_says_why(world):
    salma, chief = world.agent("OTE", "MED", "agent_accueil"), world.agent("OTE", "MED", "chef_antenne")
    cases = [world.receive(world.somebody("social", number)) for number in range(1, 31)]
    of = {row.root_id: row.task_id for row in world.open_tasks()}
    chosen, claim = [of[one] for one in cases], selections.Wish("claim")
    with world.database.unit_of_work(salma) as session:
        seen = selections.preview(session, salma, claim, chosen)
    assert {one.code for one in seen} == {""}
    world.does(cases[4], "T101")
    world.begins(cases[17], "deces_redepart", chief, sortie__evenement="redepart", sortie__preuve=None)
    world.does(cases[17], "T962")
    done = selections.carry_out(world.database, salma, claim, chosen)
    assert [(one.task_id, one.task, one.case_number) for one in done] == [(one.task_id, one.task, one.case_number) for one in seen], "thirty lines, called as they were"
    assert {place: one.code for place, one in enumerate(done) if one.code} == {4: "task.done", 17: "task.over"}
    assert done[17].case_id == cases[17] and done[4].details["who"] == salma.name
    with world.database.reading(users.system()) as session:
        held = session.execute(text("SELECT count(*) FROM open_task WHERE holder_id = :id AND task_id = ANY (:chosen)"), {"id": salma.user_id, "chosen": chosen}).scalar_one()
    assert held == 28
