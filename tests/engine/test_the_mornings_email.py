"""The morning's e-mail: once a working day, numbers and a link, never a word of a case; kept in a demo, sent to a real server elsewhere."""

import datetime as dt
import socket
import threading
from email import message_from_string, policy

import pytest
from sqlalchemy import text

from engine import clock, errors, mail
from engine.actors import users
from engine.casework import digests, leaves, notices, tasks
from tests.web.small.installation import furnish_administered
from tests.world import World


@pytest.fixture(scope="module")
def office(make_database):
    return make_database(furnish_administered)


@pytest.fixture
def salma(office):
    with office.reading(users.system()) as session:
        return users.find(session, session.execute(text("SELECT user_id FROM user_account WHERE username = 'salma'")).scalar_one())


def to_morning(database, days=1):
    """The next working day at eight."""
    with database.unit_of_work(users.system()) as session:
        now = clock.now(session)
        day = clock.today(now) + dt.timedelta(days=days)
        while day.weekday() != 2:  # no Wednesday of the week after is a feast here
            day += dt.timedelta(days=1)
        clock.advance(session, (dt.datetime.combine(day, dt.time(8), clock.TUNIS) - now).total_seconds())


def work(database):
    with database.reading(users.system()) as session:
        found = digests.due(session)
    sent = 0
    for (user_id,) in found:
        with database.unit_of_work(users.system()) as session:
            sent += digests.tell(session, user_id)
    return sent


def test_it_says_how_much_and_nothing_of_any_case_and_once_a_day(office, salma):
    with office.unit_of_work(salma) as session:
        for wrong in ("salma", "a@b", "x y@ote.tn", "a@ote.tn\nBcc: b@ote.tn"):
            with pytest.raises(errors.Invalid, match="digest.address"):
                digests.ask(session, salma, wrong)
        digests.ask(session, salma, "salma@ote.tn")
    assert work(office) == 0, "from the next morning on"
    with office.unit_of_work(users.system()) as session:
        for _ in range(2):
            notices.tell(session, users.system(), salma.user_id, "task.taken", "MED", task={"fr": "Recevoir Besma Dridi"})
    to_morning(office)
    assert work(office) == 1 and work(office) == 0
    with office.owner() as connection:
        address, subject, body = connection.execute(text("SELECT address, subject, body FROM mail_kept")).one()
    assert (address, subject) == ("salma@ote.tn", "Masar : votre journée")
    assert "2 avis non lus" in body and "/desk" in body and "Besma" not in body and "TN-" not in body
    with office.unit_of_work(salma) as session:
        notices.read_all(session, salma)
    to_morning(office, 2)
    assert work(office) == 0, "nothing waits: nothing is sent"
    with office.unit_of_work(salma) as session:
        digests.ask(session, salma, "")
        assert digests.address(session, salma) == ""


def test_what_is_late_of_her_post_and_in_nobodys_hands_is_counted_for_her_and_not_for_another_branch(office, salma):
    world = World(office)
    for number in range(3):
        world.receive(world.somebody("social", 40 + number))
    ines = world.agent("OTE", "SFX", "agent_accueil")
    for one in (salma, ines):
        with office.unit_of_work(one) as session:
            digests.ask(session, one, f"{one.username}@ote.tn")
    world.passes(days=40)
    to_morning(office, 2)
    world.receive(world.somebody("social", 43))
    late = world.desk(salma, late=True).items
    assert len(late) >= 3 and len(world.desk(salma).items) > len(late), "what came this morning is not late"
    assert work(office) == 1
    assert told(office) == ("salma@ote.tn", {f"{len(late)} tâches en retard à prendre à votre poste"})
    with office.unit_of_work(salma) as session:
        tasks.claim(session, salma, late[0].task_id)
    to_morning(office, 2)  # the one that she took is not told twice; the newcomer's is late by now
    assert work(office) == 1
    assert told(office) == ("salma@ote.tn", {"1 tâche en charge", "1 tâche en retard", f"{len(late)} tâches en retard à prendre à votre poste"})


def told(office):
    """The last message kept: to whom, and what it counts, but for what is unread."""
    with office.owner() as connection:
        address, body = connection.execute(text("SELECT address, body FROM mail_kept ORDER BY kept_at DESC LIMIT 1")).one()
    return address, {line.removeprefix("– ") for line in body.splitlines() if line.startswith("– ") and "non lu" not in line}


def test_whoever_stands_in_for_somebody_away_is_told_how_much_of_hers_waits(office, salma):
    world = World(office)
    selim = world.staff["selim"]
    case_id = world.receive(world.somebody("social", 33))
    with office.reading(users.system()) as session:
        task = session.execute(text("SELECT task_id FROM open_task WHERE root_id = :id"), {"id": case_id}).scalar_one()
    to_morning(office)
    with office.unit_of_work(salma) as session:
        tasks.claim(session, salma, task)
        leaves.say(session, salma, salma.user_id, world.today(), world.today() + dt.timedelta(days=20), selim.user_id)
    with office.unit_of_work(selim) as session:
        notices.read_all(session, selim)
        digests.ask(session, selim, "selim@ote.tn")
    to_morning(office)
    work(office)
    with office.owner() as connection:
        (body,) = connection.execute(text("SELECT body FROM mail_kept WHERE address = 'selim@ote.tn'")).scalars()
        held = connection.execute(text("SELECT count(*) FROM open_task WHERE holder_id = :id"), {"id": salma.user_id}).scalar_one()
    (told,) = [line for line in body.splitlines() if "que vous remplacez" in line]
    assert told.startswith(f"– {held} tâche") and held


def test_elsewhere_it_leaves_through_the_server_that_was_named(office, salma):
    with socket.create_server(("127.0.0.1", 0)) as server:
        heard: list[str] = []
        thread = threading.Thread(target=listen, args=(server, heard))
        thread.start()
        with office.owner() as connection:
            connection.execute(text("UPDATE installation SET is_demo = false"))
        try:
            with office.unit_of_work(users.system()) as session:
                session.info["post"] = mail.Post(f"smtp://127.0.0.1:{server.getsockname()[1]}", "masar@ote.tn", "https://masar.tn")
                mail.send(session, "salma@ote.tn", "يومك", "Bonjour,\n\n– 2 tâches")
        finally:
            with office.owner() as connection:
                connection.execute(text("UPDATE installation SET is_demo = true"))
        thread.join(10)
    message = message_from_string("\n".join(heard), policy=policy.default)
    assert (message["From"], message["To"], message["Subject"]) == ("masar@ote.tn", "salma@ote.tn", "يومك")
    assert "2 tâches" in message.get_content()


def listen(server, heard):
    """A mail server of a few words, for one message."""
    connection, _ = server.accept()
    with connection, connection.makefile("rw", newline="\r\n") as lines:
        say = lambda words: (lines.write(f"{words}\r\n"), lines.flush())  # noqa: E731
        say("220 here")
        is_text = False
        for line in lines:
            line = line.rstrip("\r\n")
            if is_text:
                is_text = line != "."
                if is_text:
                    heard.append(line)
                else:
                    say("250 taken")
            elif line.casefold() == "data":
                is_text = True
                say("354 go on")
            elif line.casefold() == "quit":
                say("221 bye")
                return
            else:
                say("250 well")
