"""`masar`: what one types at a terminal. It composes: the installation, the web server (a process known by its name only), the worker, the doctor."""

import asyncio
import json
import logging
import os
import signal
import sys
import time
import urllib.request
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from typer.core import TyperGroup

from engine import doctor as doctors
from engine import checking, installation, jobs, postgres, settings, supervisor, terminal
from engine.actors import signin, users
from engine.casework import comparisons, editions, erasures, judges, judging
from engine.database import Database
from engine.errors import Refusal
from engine.insight import casefile as casefiles
from engine.insight import exchange, proofs_of_why
from engine.terminal import Stop, say

_PYTHON = sys.executable
_WEB = ("-m", "web.serve")
_WORKER = ("-m", "engine.cli", "worker")
_LONGEST_START = 60.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

masar = typer.Typer(name="masar", help="Masar, the workflow engine of the Dispositif.", add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
accounts = typer.Typer(help="Accounts.", no_args_is_help=True)
masar.add_typer(accounts, name="user")
masar.add_typer(checking.witnesses, name="witness")
masar.add_typer(checking.logs, name="log")
masar.command()(checking.verify)


class _Exports(TyperGroup):
    """What follows `export` and is none of its commands is the file an edition is written to."""

    def parse_args(self, context: Any, args: list[str]) -> list[str]:
        return super().parse_args(context, args if not args or args[0] in {*self.commands, "--help"} else ["edition", *args])


exports = typer.Typer(cls=_Exports, help="What leaves Masar: an edition (`masar export FILE`), a case, the history of many. Each is told of in who consulted what.", no_args_is_help=True)
masar.add_typer(exports, name="export")
Leash = Annotated[int | None, typer.Option(hidden=True)]


class _Asked(BaseException):
    """Somebody asked to stop (Ctrl-C, SIGTERM, the terminal closed) while the installation was being made."""


class _Bell:
    """What Ctrl-C, SIGTERM and a closed terminal ring. While things are being made it breaks in; afterwards it is only heard."""

    def __init__(self) -> None:
        self.is_rung, self.breaks_in = False, True
        for name in _SIGNALS:
            signal.signal(name, self._ring)

    def _ring(self, *_: Any) -> None:
        self.is_rung = True
        if self.breaks_in:
            raise _Asked


@masar.command()
def run() -> None:
    """Sets up what is missing, then serves: database, web server and worker, until Ctrl-C."""
    asked = settings.read()
    with terminal.alone(asked.var):
        door = terminal.listen(asked.host, asked.port)
        bell, keeper = _Bell(), None
        try:
            database = installation.prepare(asked, say, terminal.bar())
            bell.breaks_in = False
            judges.close(for_good=False)  # the web server has its own
            keeper = _keeper(door.fileno())
            keeper.start()
            if _answers(asked, keeper, bell):
                _welcome(asked, database)
            database.dispose()
            while not bell.is_rung:
                time.sleep(0.2)
                keeper.watch()
            say("\nStopping …")
        except (_Asked, Exception):  # what is broken in upon may fail in words of its own: a query cut short
            if not (bell.is_rung and bell.breaks_in):
                raise
            say("\nStopping before the installation was finished; the next start takes it up again …")
            raise typer.Exit(130) from None
        finally:
            for name in _SIGNALS:
                signal.signal(name, signal.SIG_IGN)
            if keeper:
                keeper.stop()
            if not asked.database_url and postgres.is_running(installation.cluster(asked)):
                postgres.stop(installation.cluster(asked))
    say("Stopped. Everything is kept; `make run` starts again.")


@masar.command()
def serve() -> None:
    """The web server alone."""
    os.execv(_PYTHON, [_PYTHON, *_WEB])


@masar.command()
def worker(leash: Leash = None) -> None:
    """A worker alone: fires timers and delivers messages. Any number may run."""
    supervisor.end_with_parent(leash)
    with installation.opened(settings.read()) as database:
        asyncio.run(_work(database))


@masar.command()
def migrate() -> None:
    """Brings the database to this version; the first time, fills it."""
    installation.bring_up_to_date(settings.read(), say, terminal.bar())
    say("The database is up to date.")


@exports.command("edition")
def export(
    file: Annotated[Path, typer.Argument(help="The archive to write (.zip).")],
    edition: Annotated[int | None, typer.Option(help="Number of the edition; by default the one in force.")] = None,
) -> None:
    """Writes an edition as one archive: its diagrams, tables, forms and dictionary as they are, with the digest of each."""
    with installation.opened(settings.read()) as database:
        content = installation.export(database, edition)
    _write(file, [content])


@exports.command("casefile")
def export_case(
    number: Annotated[str, typer.Argument(help="Number of the case, for example TN-MED-2026-00042.")],
    file: Annotated[Path, typer.Argument(help="The page to write (.html).")],
    recipient: Annotated[str, typer.Option(help="personne, tribunal, OTE, CPS, ANETI, PART or auditeur: the file shows no more than that one may see.")] = "auditeur",
    language: Annotated[str, typer.Option(help="fr, ar or en.")] = "fr",
) -> None:
    """Writes a case as one HTML file that any browser opens and verifies without network."""
    with installation.opened(settings.read()) as database, checking.readable(database):
        _write(file, [casefiles.by_number(database, replace(users.system(), language=language), number, recipient)])


@exports.command("xes")
def export_xes(file: Annotated[Path, typer.Argument(help="The log to write (.xes).")], language: Annotated[str, typer.Option(help="Of the names of activities.")] = "fr") -> None:
    """Writes the history of the cases whose persons agreed to statistics as a XES log (IEEE 1849-2016), under pseudonyms."""
    with installation.opened(settings.read()) as database, checking.readable(database):
        _write(file, exchange.xes(database, replace(users.system(), language=language)))


@exports.command("ocel")
def export_ocel(file: Annotated[Path, typer.Argument(help="The log to write (.json).")], language: Annotated[str, typer.Option(help="Of the names of activities.")] = "fr") -> None:
    """Writes the same as an object-centric log (OCEL 2.0)."""
    with installation.opened(settings.read()) as database, checking.readable(database):
        _write(file, exchange.ocel(database, replace(users.system(), language=language)))


@masar.command("import")
def bring_in(
    files: Annotated[list[Path], typer.Argument(help="One archive, or BPMN, DMN and TOML files.")],
    title: Annotated[str, typer.Option(help="What the draft is called.")] = "",
) -> None:
    """Makes a draft of an archive or of files; a coordinator submits it and another approves it, in the browser."""
    with installation.opened(settings.read()) as database:
        try:
            installation.bring_in(database, files, title)
        except OSError as trouble:
            raise Stop(f"The file {trouble.filename} cannot be read: {trouble.strerror}.") from trouble
    say("The draft is made: it waits on the page Parcours.")


@masar.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Proves every ledger chain and checks that no case is stuck; exits with 1 when something is wrong."""
    with installation.opened(settings.read()) as database:
        report = doctors.examine(database)
    if as_json:
        say(json.dumps(report.as_json(), ensure_ascii=False, indent=2))
    else:
        for line in report.lines():
            say(line)
    raise typer.Exit(0 if report.is_well else 1)


@masar.command()
def why(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    is_short: Annotated[bool, typer.Option("--short", help="Without the smallest changes: faster.")] = False,
) -> None:
    """Evaluates every why-record of every case anew, and its smallest change; exits with 1 where one does not lead where it says."""
    with installation.opened(settings.read()) as database, checking.readable(database), database.reading(users.system()) as session:
        proof = proofs_of_why.prove(session, changes=not is_short)
    if as_json:
        say(json.dumps(proof.as_json(), ensure_ascii=False, indent=2))
    else:
        for line in proof.lines():
            say(line)
    raise typer.Exit(1 if proof.faults else 0)


@masar.command()
def forget() -> None:
    """After erasures were approved, or a backup was restored: erases again who came back, writes anew the tables their rows lay in, lets go of old write-ahead log."""
    with installation.opened(settings.read()) as database, checking.readable(database):
        back = erasures.again(database)
        erasures.scrub(database)
    say(f"{back} persons were erased again; the tables are written anew.")


@masar.command()
def compare(
    old: Annotated[Path, typer.Argument(help="A folder that holds processes/ and forms/.", exists=True, file_okay=False)],
    new: Annotated[Path, typer.Argument(help="The other one.", exists=True, file_okay=False)],
    language: Annotated[str, typer.Option(help="fr, ar or en.")] = "fr",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Says what changed from one folder of diagrams and forms to another, and what it costs those who walk the pathway."""
    for folder in (old, new):
        if not (folder / "processes").is_dir() and not (folder / "forms").is_dir():
            raise Stop(f"The folder {folder} holds neither processes/ nor forms/.")
    before, after = (editions.Edition(UUID(int=0), 0, editions.files_of(folder / "processes", folder / "forms")) for folder in (old, new))
    told = comparisons.changes(before, after, language)
    try:
        figures = comparisons.burden(before, after, language)
    except Refusal as refused:  # what cannot be published has no figures, and is compared all the same
        figures, said = (), str(refused)
    else:
        said = ""
    if as_json:
        lines = {"changes": [asdict(one) for one in told], "burden": [asdict(one) for one in figures], "refused": said}
        say(json.dumps(lines, ensure_ascii=False, indent=2))
    else:
        for line in (*(f"{one.file}: {one.text}" for one in told), *(one.text for one in figures if one.text), *([said] if said else [])):
            say(line)


@masar.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Diagrams (.bpmn), tables (.dmn), forms and pages of the dictionary (.toml), in any mix.")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    language: Annotated[str, typer.Option(help="Of the sentences: fr, ar or en.")] = "fr",
) -> None:
    """Judges files as publication would, beside those of processes/ and forms/ that are not given; exits with 1 when something forbids it."""
    asked = settings.read()
    try:
        given = [(path.name, path.read_bytes()) for path in files]
    except OSError as trouble:
        raise Stop(f"The file {trouble.filename} cannot be read: {trouble.strerror}.") from trouble
    found = judging.examine(given, editions.files_of(asked.processes, asked.forms), editions.house())
    told = [judging.said(one, language) for one in found]
    if as_json:
        say(json.dumps({"findings": told}, ensure_ascii=False, indent=2))
    else:
        for one in told:
            say(f"{one['severity']}: {one['file']}{'#' if one['element'] else ''}{one['element']}: {one['message']} [{one['code']}]")
    raise typer.Exit(1 if any(one.severity == "error" for one in found) else 0)


@accounts.command("add")
def add_user(
    username: str,
    name: Annotated[str, typer.Option(help="As colleagues read it.")],
    agency: Annotated[str, typer.Option(help="OTE, CPS, ANETI or PART.")],
    branch: Annotated[str, typer.Option(help="Code of the branch, for example MED.")],
    role: Annotated[list[str], typer.Option(help="Once for each role.")],
    name_ar: Annotated[str, typer.Option(help="The name in Arabic.")] = "",
    language: str = "fr",
    password_file: Annotated[Path | None, typer.Option(help="File whose first line is the password; else it is asked for.")] = None,
) -> None:
    """Makes an account."""
    try:
        password = password_file.read_text("utf-8").partition("\n")[0] if password_file else typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    except OSError as trouble:
        raise Stop(f"The file {password_file} cannot be read: {trouble.strerror}.") from trouble
    with installation.opened(settings.read()) as database:
        installation.add_user(database, username, name, agency, branch, role, password, name_ar=name_ar, language=language)
    say(f"{username} may sign in.")


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # the worker says it once
    try:
        masar()
    except terminal.TROUBLE as trouble:
        terminal.explain(trouble)
        sys.exit(1)


def _write(file: Path, parts: Iterable[bytes]) -> None:
    """Writes a file whole or not at all; what is no file (a pipe) as it comes."""
    aside = file.with_name(f".{file.name}.part") if file.is_file() or not file.exists() else file
    try:
        with open(aside, "wb") as written:
            for part in parts:
                written.write(part)
        if aside != file:
            aside.replace(file)
    except OSError as trouble:
        raise Stop(f"The file {file} cannot be written: {trouble.strerror}.") from trouble
    finally:
        if aside != file:
            aside.unlink(missing_ok=True)
    say(f"{file} is written.")


async def _work(database: Database) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await jobs.work(database, stop)


def _keeper(door: int) -> supervisor.Supervisor:
    return supervisor.Supervisor(
        [supervisor.Kept("web server", (_PYTHON, *_WEB, "--socket", str(door)), handed=(door,)), supervisor.Kept("worker", (_PYTHON, *_WORKER))], os.environ, say
    )


def _answers(asked: settings.Settings, keeper: supervisor.Supervisor, bell: _Bell) -> bool:
    """Waits until the web server answers; False when somebody asked to stop meanwhile. Raises Stop, supervisor.GaveUp."""
    end = time.monotonic() + _LONGEST_START
    while not bell.is_rung:
        try:
            with urllib.request.urlopen(f"{_address(asked)}/healthz", timeout=2):
                return True
        except OSError:
            keeper.watch()
            time.sleep(0.1)
        if time.monotonic() > end:
            raise Stop(f"The web server does not answer after {_LONGEST_START:.0f} seconds; what it said stands above.")
    return False


def _welcome(asked: settings.Settings, database: Database) -> None:
    with database.reading(users.system()) as session:
        listed = signin.demo_accounts(session)
    if listed:
        say("\nDemo accounts (user / password; the sign-in page says who does what):")
        for one in listed:
            say(f"{one.username} / {one.password}")
    say(f"\nMasar serves at {_address(asked)}   (Ctrl-C stops it)")


def _address(asked: settings.Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(asked.host, f"[{asked.host}]" if ":" in asked.host else asked.host)
    return f"http://{host}:{asked.port}"


if __name__ == "__main__":
    main()
