"""What one types to check, or to be checked: `masar verify`, `masar witness …`, `masar log …`."""

import base64
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import text

from engine import installation, settings
from engine.actors import users
from engine.database import Database
from engine.errors import Refusal
from engine.ledger import log, notes, proving, witness
from engine.terminal import Stop, say

witnesses = typer.Typer(help="A witness of the log: one an agency, on a machine of its own.", no_args_is_help=True)
logs = typer.Typer(help="The log: its key, and who witnesses it.", no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(help="Where the witness keeps what it knows.")]
SENTENCES = {
    "chain.gap": "a line is missing", "chain.hash": "the line is not the one that was hashed", "chain.prev": "the line does not follow the one before it",
    "chain.form": "the line is not written as lines are", "chain.head": "the case points at another line than its last", "chain.gone": "the case has no line at all",
    "case.gone": "lines without their case", "line.kind": "the line is filed under another kind", "line.gone": "a line that was sealed is gone",
    "line.not_as_sealed": "the line is not the one that was sealed", "line.never_sealed": "a line was passed over by the sealing of later ones",
    "sealed.gone": "what the line sealed is gone", "sealed.other": "what the line sealed is not what it committed to",
    "sealed.key_gone": "the key of what the line sealed is gone, and no line says that anybody was erased",
    "sealed.key_damaged": "the file of the key of what the line sealed does not hold a key: put it back from where keys are kept apart",
    "entry.gone": "an entry of the log is gone", "entry.without_checkpoint": "entries that no checkpoint covers", "tile.other": "kept hashes are not those of the entries",
    "tile.too_many": "hashes are kept of entries that are not there", "checkpoint.unreadable": "a checkpoint cannot be read",
    "checkpoint.unsigned": "a checkpoint is not signed by the key of its time", "checkpoint.other": "a checkpoint is not what was signed",
    "checkpoint.root": "the entries are not those that were signed", "cosignature.wrong": "a witness's word is not its own",
    "witness.other": "the log is not what a witness saw",
}  # fmt: skip


def verify(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    seen: Annotated[list[Path] | None, typer.Option(help="The file `seen` of a witness: the log must go on from each checkpoint in it.")] = None,
) -> None:
    """Proves every chain, the whole log, its checkpoints and signatures, on the live database; exits with 1 when anything is wrong."""
    kept = [one for file in seen or () for one in _read_seen(file)]
    with installation.opened(settings.read()) as database:
        proof = proving.prove(database, users.system(), kept, _progress())
        told = [_told(database, one) for one in proof.wrong]
    if as_json:
        say(json.dumps({"is_whole": not told, "wrong": told, "looked_at": _counts(proof), "not_checked": _left_out(proof)}, ensure_ascii=False, indent=2))
    else:
        for line in _lines(proof, told):
            say(line)
    raise typer.Exit(1 if told else 0)


@contextmanager
def readable(database: Database) -> Iterator[None]:
    """Around what reads the ledger for something else than proving it: where that fails since somebody broke a line, says which. Raises Stop."""
    try:
        yield
    except (Stop, Refusal):
        raise
    except Exception as trouble:
        wrong = proving.prove(database, users.system()).wrong
        if not wrong:
            raise
        first = _told(database, wrong[0])
        where = ", ".join(part for part in (f"line {first['line']}" if first["line"] else "", first["case"], first["about"]) if part)
        raise Stop(f"The ledger is broken and cannot be read ({where}: {first['what']}); nothing was written. `masar verify` tells all that is wrong.") from trouble


def _counts(proof: proving.Proof) -> dict[str, int]:
    return {name: getattr(proof, name) for name in ("chains", "lines", "entries", "checkpoints", "cosignatures")}


def _left_out(proof: proving.Proof) -> dict[str, int]:
    return {"not_sealed_yet": proof.unsealed, "key_erased": proof.erased}


def _lines(proof: proving.Proof, told: Sequence[dict[str, Any]]) -> list[str]:
    found = [", ".join(f"{count:,} {name}" for name, count in _counts(proof).items()) + "."]
    for one in told:
        where = [f"case {one['case']}" if one["case"] else "the log", f"line {one['line']}" if one["line"] else "", f"entry {one['entry']}" if one["entry"] is not None else "", one["about"]]
        found.append(f"WRONG  {', '.join(part for part in where if part)}: {one['what']} [{one['code']}]")
        found += [f"       perhaps entry {index}: line {line} of {case}" for index, case, line in one["within"]]
    if proof.unsealed:
        found.append(f"Not checked: {proof.unsealed:,} lines are not sealed yet: whoever holds the database could still change their end unseen.")
    if proof.erased:
        found.append(f"Not checked: what {proof.erased:,} lines sealed, whose keys were erased; the lines themselves were.")
    if not proof.cosignatures:
        found.append("Not checked: that the log was never rewritten with its own key. No witness's word is kept; give a witness's file with --seen.")
    found.append(f"{len(told)} wrong." if told else "All of it holds.")
    return found


def _told(database: Database, one: proving.Wrong) -> dict[str, Any]:
    """A thing wrong with the case's number, and the entries among which it lies where only that is known."""
    within: list[list[Any]] = []
    case = ""
    with database.reading(users.system()) as session:
        if one.code in ("checkpoint.root", "witness.other"):
            first, _, last = one.about.rpartition(" ")[2].partition("–")
            within = [[index, str(instance), seq] for index, instance, seq in proving.located(session, int(first), int(last) + 1)]
        if one.instance_id == proving.JOURNAL:
            case = "journal of administration"
        elif one.instance_id:
            number = session.execute(text("SELECT coalesce(number, process) FROM instance WHERE instance_id = :id"), {"id": one.instance_id}).scalar()
            case = f"{number} ({one.instance_id})" if number else str(one.instance_id)
    return {"code": one.code, "what": SENTENCES[one.code], "case": case, "instance": str(one.instance_id or ""), "line": one.seq, "entry": one.index, "about": one.about, "within": within}


def _read_seen(file: Path) -> list[proving.Seen]:
    try:
        return [proving.Seen(file.parent.name or str(file), one["size"], base64.b64decode(one["root"])) for one in map(json.loads, file.read_text("utf-8").splitlines())]
    except (OSError, ValueError, KeyError) as trouble:
        raise Stop(f"{file} is not the `seen` of a witness: {trouble}.") from trouble


def _progress() -> Any:
    shown = -1

    def tell(done: int, total: int) -> None:
        nonlocal shown
        percent = min(100, 100 * done // total) if total else 100
        if percent == shown or (not sys.stderr.isatty() and percent // 25 == shown // 25):
            return
        shown = percent
        print(f"\r{percent:3d} %", end="\n" if percent == 100 or not sys.stderr.isatty() else "", file=sys.stderr, flush=True)

    return tell


# ── Witnesses ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@witnesses.command("begin")
def begin(folder: Folder, name: Annotated[str, typer.Argument(help="For example cps.gov.tn.")]) -> None:
    """Makes a witness's key, on its own machine."""
    raise typer.Exit(witness.main(["begin", str(folder), name]))


@witnesses.command("trust")
def trust(folder: Folder, key: Annotated[str, typer.Argument(help="The key of the log, as it is printed or published.")]) -> None:
    """Tells a witness the log's key."""
    raise typer.Exit(witness.main(["trust", str(folder), key]))


@witnesses.command("look")
def look(folder: Folder, address: Annotated[str, typer.Argument(help="Where Masar serves, for example https://masar.example.tn.")]) -> None:
    """Looks once: cosigns what goes on from what was seen, or shouts (exit 1). Nothing learnt: exit 2."""
    raise typer.Exit(witness.main(["look", str(folder), address]))


@witnesses.command("name")
def name_witness(key: Annotated[str, typer.Argument(help="As `begin` printed it.")], agency: Annotated[str, typer.Option(help="OTE, CPS, ANETI or PART.")]) -> None:
    """On Masar's machine: keeps this witness's word with the checkpoints from now on."""
    try:
        read = notes.read_key(key)
        with installation.opened(settings.read()) as database, database.owner_work() as session:
            log.name_witness(session, users.system(), read, agency)
    except notes.Unreadable as trouble:
        raise Stop(f"{trouble}.") from trouble
    say(f"{read.name} is a witness for {agency}.")


# ── The log's key ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@logs.command("key")
def key() -> None:
    """The key that signs now, to be printed and published."""
    with installation.opened(settings.read()) as database, database.reading(users.system()) as session:
        known = log.keys(session)
    if not known:
        raise Stop("There is no key yet: the worker makes it when it seals for the first time, within a minute.")
    say(str(known[-1]))


@logs.command("rotate")
def rotate(lost: Annotated[bool, typer.Option("--lost", help="The old key is lost: every witness will shout until it is told to trust the new one.")] = False) -> None:
    """Another key signs from now on; the old one vouches for it."""
    with installation.opened(settings.read()) as database, database.unit_of_work(users.system()) as session:
        try:
            made = (log.replace_lost_key if lost else log.rotate)(session, users.system())
        except log.KeyMissing as trouble:
            raise Stop(f"{trouble}: put it back, or say --lost.".capitalize()) from trouble
    say(str(made))
