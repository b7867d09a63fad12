"""What the ledger and the why-records are of a completion: the same completions with those parts timed apart, here and in PostgreSQL.

In one process, through `tasks.complete` and its commit. Here: what a line says and seals, its hash, its commitments, its seal, its share of the statement's JSON, and of conditions the
whole weighing, though a turn needs most of that anyway. In PostgreSQL: `masar_append` with the triggers of its tables, as the server counts functions (`track_functions`), which takes the
right to ask for it; what guards of other tables ask of the ledger is told beside. Figures of a part are sums over all completions. The share is told twice: of the time by the clock, and
of processor time, in which waiting (for the disk, for a busy machine) counts nothing: there `masar_append` is given the part of all that the server did that it is of `masar_step`, which is
more than it has.

`python -m tests.bench.share [cases]`; part of `make bench`.
"""

import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import event, text

from engine.casework import instances, tasks
from engine.database import Database
from engine.demo import answers
from engine.ledger import events
from engine.ledger.keys import KeyStore
from engine.pathway import bpmn
from engine.pathway.spiff import elements
from tests import world as worlds
from tests.bench import contenders, servers

_WARMING = 3
_PARTS = {
    "line": ((events, "line"), (events, "row")),
    "what it says": ((instances, "account"), (instances, "inputs"), (bpmn, "told")),
    "why": ((instances, "reasons"), (elements, "weigh")),
}
_FUNCTIONS = text("SELECT funcname, calls, total_time FROM pg_stat_user_functions")
_GUARDS = text("""SELECT coalesce(sum(f.total_time), 0) FROM pg_stat_user_functions f
                   WHERE f.funcname IN (SELECT p.proname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE t.tgrelid::regclass::text NOT IN ('ledger_line', 'ledger_sealed')
                                           AND p.prosrc LIKE '%ledger_line%')""")  # fmt: skip


def main() -> None:
    server = servers.server_address()
    try:
        print_figures(server, int(sys.argv[1]) if len(sys.argv) > 1 else 24)
    finally:
        servers.stop_server()


def print_figures(server: str, cases: int) -> None:
    """Share and parts, on the small pathway and on the real one."""
    print(f"\nLedger and why-records as a share of a completion, {cases} cases each; {servers.machine()}\n")
    for contender in (contenders.Small, contenders.Real):
        one = contender.__new__(contender)  # its edition and what is true of a person, without a server of its own
        print(f"  {contender.name}: {told(measured(server, one, cases))}", flush=True)


def measured(server: str, contender: Any, cases: int) -> Counter[str]:
    """Seconds by part, over all completions; `completions` counts them."""
    url = servers.make_database(server, "bench_share")
    folder = Path(tempfile.mkdtemp(prefix="masar-bench-"))
    database = Database(url, keys=KeyStore(folder / "keys"), documents=folder / "documents")
    try:
        database.migrate()
        worlds.furnish(database, contender.edition())
        there, spent = worlds.World(database), Counter[str]()
        play(database, there, contender, _WARMING, Counter())
        database.app.dispose()
        counts = counting(database)
        before = functions(database) if counts else Counter()
        event.listen(database.app, "connect", lambda connection, _record: _backends.add(connection.info.backend_pid))
        with timed_apart(spent):
            play(database, there, contender, cases, spent)
        database.app.dispose()  # what a connection counted is told at its end
        spent += functions(database) - before if counts else Counter()
        return spent
    finally:
        database.dispose()
        servers.drop_database(server, "bench_share")


def counting(database: Database) -> bool:
    """Has the server count the time of functions from the next connection on; whether it may be asked."""
    try:
        with database.owner() as connection:
            connection.exec_driver_sql("ALTER DATABASE bench_share SET track_functions = 'all'")
        return True
    except Exception as trouble:  # noqa: BLE001 - a server that is somebody else's
        print(f"  (time in PostgreSQL is not counted: {trouble.__class__.__name__})")
        return False


def functions(database: Database) -> Counter[str]:
    with database.owner() as connection:
        found = {row.funcname: row.total_time / 1e3 for row in connection.execute(_FUNCTIONS)}
        guards = float(connection.execute(_GUARDS).scalar_one()) / 1e3
    return Counter({"masar_append": found.get("masar_append", 0.0), "masar_step": found.get("masar_step", 0.0), "guards": guards})


def play(database: Database, there: Any, contender: Any, cases: int, spent: Counter[str]) -> None:
    """Plays cases to their end, or to where nobody has a task: only the completions are timed."""
    for _ in range(cases):
        truth = contender.truth()
        case_id = there.receive(truth, process=contender.process)
        while waiting := there.open_tasks(case_id)[:1]:
            actor = there.who_does(waiting[0])
            with database.unit_of_work(actor) as session:
                view = tasks.view(session, actor, waiting[0].task_id)
                raw = answers.to(view.form, truth, there.today(), actor, session)
            with completion(spent), database.unit_of_work(actor) as session:
                tasks.complete(session, actor, waiting[0].task_id, raw, view.version)


_is_on = False


@contextmanager
def completion(spent: Counter[str]) -> Iterator[None]:
    """What is timed: parts count only meanwhile."""
    global _is_on
    began, here, there = time.perf_counter(), time.process_time(), serving()
    _is_on = True
    try:
        yield
    finally:
        _is_on = False
        spent.update({"whole": time.perf_counter() - began, "here": time.process_time() - here, "server": serving() - there, "completions": 1})


_backends: set[int] = set()


def serving() -> float:
    """Seconds that the backends of this process's connections were on a processor."""
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in _backends if Path(f"/proc/{pid}").exists()) / 1e9


@contextmanager
def timed_apart(spent: Counter[str]) -> Iterator[None]:
    """While it lasts, what the parts take during a completion is added to `spent`."""
    with ExitStack() as stack:
        for part, those in _PARTS.items():
            for module, name in those:
                stack.enter_context(patch.object(module, name, _timed(getattr(module, name), part, spent)))
        stack.enter_context(patch.object(instances, "_json", _written(instances._json, spent)))
        yield


def _timed(act: Callable[..., Any], part: str, spent: Counter[str]) -> Callable[..., Any]:
    def around(*given: Any, **named: Any) -> Any:
        began = time.process_time()
        try:
            return act(*given, **named)
        finally:
            if _is_on:
                spent[part] += time.process_time() - began

    return around


def _written(write: Callable[[Any], str], spent: Counter[str]) -> Callable[[Any], str]:
    """The statement's JSON: the share of its lines, by length."""

    def around(step: Any) -> str:
        began = time.process_time()
        found = write(step)
        if _is_on:
            spent["line"] += (time.process_time() - began) * len(json.dumps(step.get("lines", []))) / len(found)
        return found

    return around


def told(spent: Counter[str]) -> str:
    each = {name: 1e3 * seconds / spent["completions"] for name, seconds in spent.items()}
    here = sum(each.get(part, 0) for part in _PARTS)
    append, step = each.get("masar_append", 0), each.get("masar_step", 0)
    work, there = each["here"] + each["server"], each["server"] * append / step if step else 0
    parts = ", ".join(f"{part} {each.get(part, 0):.2f}" for part in _PARTS)
    return (f"at most {(here + there) / work:.0%} of its processor time ({here + there:.2f} of {work:.2f} ms: here {here:.2f} of {each['here']:.2f} ms, {parts}; in PostgreSQL {there:.2f} of {each['server']:.2f} ms); "
            f"{(here + append) / each['whole']:.0%} of its time by the clock ({here + append:.2f} of {each['whole']:.2f} ms, masar_append {append:.2f} of masar_step's {step:.2f}); "
            f"guards elsewhere that ask for the line {each.get('guards', 0):.2f} ms; means of {spent['completions']:.0f}")  # fmt: skip


if __name__ == "__main__":
    main()
