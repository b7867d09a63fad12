"""What takes too long or too much to be judged is told in a sentence that names it, by a process that does not serve pages; whoever kills that process slows nobody."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from html import unescape
from pathlib import Path
from uuid import uuid4

import pytest

from engine import errors, i18n
from engine.casework import cases, editions, judge, judges, judging, proposals  # noqa: F401  (cases registers what service tasks may call)
from engine.database import Database
from engine.ledger.keys import KeyStore
from tests.conftest import ROOT
from tests.faults import heavy
from tests.faults.conftest import Village, Visitor, hidden, until
from tests.web.small.installation import files, furnish

PATH = "processes/parcours.bpmn"
LONG = heavy.long("parcours", 30)


@pytest.fixture(autouse=True)
def forgetful(monkeypatch):
    """Nothing was judged before."""
    monkeypatch.setattr(judging, "_judged", type(judging._judged)())


@pytest.fixture(scope="module")
def asked():
    """A request to judge something that takes ten seconds, with limits of the test's own."""
    operations = sorted(editions.house().operations)
    judges.ask(judge.Request(files(), operations))
    return lambda **limits: judge.Request({**files(), PATH: LONG}, operations, **limits)


def children(of: int) -> set[int]:
    """The processes that a process started and that still run."""
    found = set()
    for one in Path("/proc").iterdir():
        if one.name.isdigit():
            try:
                state, parent = (one / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if int(parent) == of and state != "Z":
                found.add(int(one.name))
    return found


def beside(act):
    """Does something in a thread; what it gave is put into the list that comes back."""
    given = []
    thread = threading.Thread(target=lambda: given.append(act()))
    thread.start()
    return thread, given


def test_processor_time_memory_and_the_clock_each_end_a_judgement(asked):
    judges.close(for_good=False)  # a judge of these tests may keep memory that earlier ones let go, enough for a judgement
    spent = judges.ask(asked(seconds=1))
    assert spent.findings is None and not spent.is_slow and 0.5 < spent.seconds < 3
    held = int(re.search(r"VmSize:\s+(\d+) kB", Path(f"/proc/{judges.pid()}/status").read_text())[1]) * 1024
    for more in range(1_200_000, 10_000_000, 900_000):  # whatever a library makes of it, in the middle of whatever it did
        swollen = judges.ask(asked(memory=held + more))
        assert swollen.findings is None and not swollen.is_slow and swollen.seconds < 15, "a few megabytes more than it has are taken long before the time is"
    late = judges.ask(asked(patience=0.5))
    assert late.findings is None and late.is_slow and late.seconds < 3


def test_a_judge_that_is_killed_is_asked_again_and_so_is_a_killed_judgement(asked):
    for kill_the_judge in (True, False):
        first = judges.pid()
        thread, given = beside(lambda: judges.ask(asked(seconds=1)))
        until(lambda first=first: children(first))
        held = children(first)
        for one in {first} if kill_the_judge else held:
            os.kill(one, signal.SIGKILL)
        until(lambda held=held: not any(Path(f"/proc/{one}").exists() for one in held), 3)
        thread.join()
        assert given[0].findings is None and not given[0].is_slow, "it was judged again, to its limit"
        assert (judges.pid() != first) == kill_the_judge
    assert judging.judged(files(), editions.house()) == ()


def test_nothing_is_left_of_a_judge_whose_asker_dies(asked):
    asks = (
        "import sys; from engine.casework import judge, judges; from tests.faults import heavy; import threading, time\n"
        "threading.Thread(target=lambda: judges.ask(judge.Request({'processes/p.bpmn': heavy.long('p', 30)}, [])), daemon=True).start()\n"
        "while not judges.pid(): time.sleep(0.01)\n"
        "print(judges.pid(), flush=True); sys.stdin.read()"
    )
    for how in ("killed", "ended"):
        asker = subprocess.Popen([sys.executable, "-c", asks], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        its_judge = int(asker.stdout.readline())
        until(lambda its_judge=its_judge: children(its_judge))
        left = {its_judge, *children(its_judge)}
        if how == "killed":
            asker.kill()
        asker.communicate(timeout=20)
        until(lambda left=left: not any(Path(f"/proc/{one}").exists() for one in left), 5)


def test_who_comes_when_many_wait_is_told_and_may_ask_again(asked, monkeypatch):
    monkeypatch.setattr(judges._judge, "_waiting", threading.BoundedSemaphore(1))
    thread, given = beside(lambda: judges.ask(asked(seconds=1)))
    until(lambda: children(judges.pid()))
    assert [one.code for one in judging.judged(files(), editions.house())] == ["check.busy"]
    thread.join()
    assert judging.judged(files(), editions.house()) == () and given[0].findings is None


def test_of_several_new_files_the_heavy_one_is_named_and_none_is_read_elsewhere(monkeypatch):
    monkeypatch.setattr(judging, "_SECONDS", 1.0)
    monkeypatch.setattr(judging, "_SECONDS_ALONE", 1)
    form = files()["forms/tasks/accueil.toml"] + b"\n# other words\n"
    draft = {**files(), PATH: LONG, "forms/tasks/accueil.toml": form, "processes/leger.bpmn": heavy.long("leger", 1, 2)}
    found = judging.judged(draft, editions.house(), files())
    assert [(one.code, one.where, one.details) for one in found] == [("check.too_heavy", "parcours.bpmn", {"name": "parcours.bpmn"})]
    with pytest.raises(errors.Invalid, match="edition.unreadable"):
        editions.of_draft(uuid4(), draft, files())
    monkeypatch.setattr(proposals.comparisons, "burden", None)
    assert proposals._burden(editions.Edition(uuid4(), 1, files()), editions.Edition(uuid4(), 0, draft), "fr") is None


@pytest.fixture
def town(make_database, tmp_path):
    """The small installation, to be served by a process."""
    database = Database(make_database().owner_url, keys=KeyStore(tmp_path / "keys"), documents=tmp_path / "documents")
    furnish(database)
    made = Village(database, tmp_path)
    yield made
    for process in made.started:
        process.kill()
        process.wait()
    database.dispose()


def test_a_heavy_draft_is_told_in_a_sentence_and_others_are_served_meanwhile(town):
    server, address = town.web()
    meriem, other = Visitor(address, "meriem"), Visitor(address, "salma")
    csrf = hidden(meriem.client.get("/editions").text, "csrf")
    draft = meriem.client.post("/drafts", data={"csrf": csrf, "title": "Lourd", "edition_id": ""}).url.path
    meriem.client.post(f"{draft}/files/{PATH}", data={"csrf": csrf, "version": 0, "content": LONG.decode()}, headers={"accept": "application/json"})
    before = spent(server.pid)
    thread, given = beside(lambda: meriem.client.get(f"{draft}/findings/{PATH}").json())
    waits = []
    while thread.is_alive():
        began = time.monotonic()
        assert other.client.get("/desk").status_code == 200
        waits.append(time.monotonic() - began)
        time.sleep(0.2)
    thread.join()
    told = i18n.translate("check.too_heavy", "fr", name="parcours.bpmn")
    assert [(one["code"], one["sentence"]) for one in given[0]["findings"]] == [("check.too_heavy", told)]
    assert len(waits) > 4 and sorted(waits)[len(waits) // 2] < 0.5
    assert spent(server.pid) - before < 2.5, "the server itself did not judge"
    page = meriem.client.get(draft)
    assert page.status_code == 200 and told in unescape(page.text)


def spent(process: int) -> float:
    """Seconds of processor time of a process."""
    told = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")
