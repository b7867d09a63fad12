"""`python -m tests.bench.search`: looking for one of 100,000 persons by a name as somebody spells it, beside looking her up by her exact CIN.

Both over HTTP, under row-level security, in turn, by one client. The persons are written by the owner with the guards off; tokens are those of the engine, and so
are queries, policies and indexes. Families and first names follow a law of Zipf, as names do; whom one looks for is asked in six ways.
"""

import argparse
import asyncio
import datetime as dt
import json
import random
import tempfile
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from uuid import UUID

import psycopg
from sqlalchemy import make_url

from engine.database import Database
from engine.demo import accounts
from engine.dossier import beneficiaries
from engine.ledger.keys import KeyStore
from tests import world
from tests.bench import servers
from tests.bench.client import Connection, quantile, together

BRANCHES = ("MED", "SFX", "TUN")
_ONSETS = [("b", "ب"), ("t", "ت"), ("j", "ج"), ("h", "ح"), ("kh", "خ"), ("d", "د"), ("r", "ر"), ("z", "ز"), ("s", "س"), ("ch", "ش"), ("gh", "غ"), ("f", "ف"), ("k", "ك"), ("l", "ل"), ("m", "م"), ("n", "ن")]
_VOWELS = [("a", "ا"), ("i", "ي"), ("ou", "و"), ("e", ""), ("a", "")]
_COPY = {
    "person": "COPY person (person_id) FROM STDIN",
    "instance": """COPY instance (instance_id, root_id, process, edition_id, person_id, number, branch, status, is_shared, state, seq, head, opened_at) FROM STDIN""",
    "person_token": "COPY person_token (person_id, kind, token) FROM STDIN",
    "fact": "COPY fact (person_id, root_id, instance_id, subject, field, value, class, author_agency, recorded_at, seq) FROM STDIN",
}


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.bench.search")
    asked.add_argument("--persons", type=int, default=100_000)
    asked.add_argument("--turns", type=int, default=600, help="exact and tolerant searches, so many of each")
    given = asked.parse_args()
    server = servers.server_address()
    try:
        print_figures(server, given.persons, given.turns)
    finally:
        servers.stop_server()


def print_figures(server: str, persons: int, turns: int) -> None:
    """p50 and p95 of both looks, their ratio, and how often the person looked for was among the twenty shown."""
    url = servers.make_database(server, "bench_search")
    folder = Path(tempfile.mkdtemp(prefix="masar-bench-"))
    database = Database(url, keys=KeyStore(folder / "keys"), documents=folder / "documents")
    try:
        database.migrate()
        world.furnish(database, servers.edition_files("petit.bpmn"))
        drawn = list(_persons(persons))
        _write(url, drawn)
        port = servers.free_port()
        with servers.serving(servers.uvicorn("tests.bench.masar:app", port), {"BENCH_DATABASE": url, "BENCH_FOLDER": str(folder)}, port):
            exact, tolerant, found = asyncio.run(_ask(port, [one for one in drawn if one["branch"] == "MED"], turns))
    finally:
        database.dispose()
        servers.drop_database(server, "bench_search")
    every = [one for notes in tolerant.values() for one in notes]
    print(f"Searching one of {persons} persons over HTTP (one client, each look after the other)\n")
    for name, notes in {"exact CIN": exact, "tolerant": every, **{f"  {way}": notes for way, notes in tolerant.items()}}.items():
        told = f", found {found[name.strip()] / len(notes):.0%}" if name.strip() in found else ""
        print(f"  {name:28} p50 {quantile(notes, 0.5) * 1e3:6.2f} ms, p95 {quantile(notes, 0.95) * 1e3:6.2f} ms{told}")
    print(f"  p95 of a tolerant search is {quantile(every, 0.95) / quantile(exact, 0.95):.2f}× that of an exact look-up")


def _word(draw: random.Random, most: int) -> tuple[str, str]:
    parts = [(draw.choice(_ONSETS), draw.choice(_VOWELS)) for _ in range(draw.randint(2, most))]
    return "".join(onset[0] + vowel[0] for onset, vowel in parts).capitalize(), "".join(onset[1] + vowel[1] for onset, vowel in parts)


def _persons(number: int) -> Iterator[dict]:
    draw = random.Random(20)
    firsts, families = [_word(draw, 2) for _ in range(400)], [_word(draw, 3) for _ in range(6_000)]
    often = [list(accumulate(1 / rank for rank in range(1, len(those) + 1))) for those in (firsts, families)]
    for place in range(number):
        first = draw.choices(firsts, cum_weights=often[0])[0]
        if draw.random() < 0.25:
            second = draw.choices(firsts, cum_weights=often[0])[0]
            first = (f"{first[0]} {second[0]}", f"{first[1]} {second[1]}")
        family = draw.choices(families, cum_weights=often[1])[0]
        if draw.random() < 0.2:
            family = (f"Ben {family[0]}", f"بن {family[1]}")
        born = dt.date(1960, 1, 1) + dt.timedelta(days=draw.randrange(17_000))
        values = {"person.prenom_fr": first[0], "person.nom_fr": family[0], "person.prenom_ar": first[1], "person.nom_ar": family[1], "person.cin": f"{place:08d}",
                  "person.tel": f"+2162{place:07d}", "person.naissance_date": born.isoformat()}  # fmt: skip
        yield {"person": UUID(int=0x7000_8000 << 64 | place + 1), "case": UUID(int=0x7000_9000 << 64 | place + 1), "branch": BRANCHES[place % 3], "values": values}


def _write(url: str, drawn: list[dict]) -> None:
    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)) as connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        edition = cursor.execute("SELECT edition_id FROM edition").fetchone()[0]
        rows = {
            "person": ((one["person"],) for one in drawn),
            "instance": ((one["case"], one["case"], "parcours", edition, one["person"], f"TN-{one['branch']}-2026-{place:06d}", one["branch"], "open" if place % 4 else "ended",
                          True, b"", 1, b"", dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=place)) for place, one in enumerate(drawn)),
            "person_token": ((one["person"], token["kind"], token["token"]) for one in drawn for token in beneficiaries.tokens(one["values"])),
            "fact": ((one["person"], one["case"], one["case"], f"person:{one['person']}", field, json.dumps(value, ensure_ascii=False), "C", "OTE", dt.datetime(2026, 1, 1, tzinfo=dt.UTC), 1)
                     for one in drawn for field, value in one["values"].items()),
        }  # fmt: skip
        for name, those in rows.items():
            with cursor.copy(_COPY[name]) as copy:
                for row in those:
                    copy.write_row(row)
        connection.commit()
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE")


def _asked(draw: random.Random, values: dict[str, str]) -> Iterator[tuple[str, str]]:
    """How somebody may ask for her: (the way, the words)."""
    written = f"{values['person.prenom_fr'].split()[0]} {values['person.nom_fr']}"
    yield "as written", written
    yield "the other script", f"{values['person.prenom_ar'].split()[0]} {values['person.nom_ar']}"
    yield "other vowels", written.translate(str.maketrans("aei", "eie")).replace("ou", "u")
    yield "other consonants", written.replace("kh", "k").replace("ch", "sh").replace("Kh", "K").replace("Ch", "Sh")
    place = draw.randrange(1, len(written))
    yield "one letter wrong", written[:place] + draw.choice("bdfgklmnrst") + written[place + 1:]
    yield "the family name alone", values["person.nom_fr"].removeprefix("Ben ")


async def _ask(port: int, drawn: list[dict], turns: int) -> tuple[list[float], dict[str, list[float]], dict[str, int]]:
    draw = random.Random(7)
    tolerant: dict[str, list[float]] = {}
    found: dict[str, int] = {}

    async def login(connection: Connection) -> None:
        _, answer = await connection.ask("POST", "/token", f"username=salma&password={accounts.password()}", form=True)
        connection.headers = f"Authorization: Bearer {answer['access_token']}\r\n"

    async def look(connection: Connection, words: str, person: UUID) -> tuple[float, bool]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        status, answer = await connection.ask("POST", "/search", {"words": words})
        took = loop.time() - began
        if status != 200:
            raise SystemExit(f"the search answered {status}: {answer}")
        return took, any(one["person_id"] == str(person) for one in answer["items"])

    async def act(connection: Connection, notes: list[float]) -> None:
        done = -30
        while done < turns:
            one = draw.choice(drawn)
            for way, words in _asked(draw, one["values"]):
                took, is_there = await look(connection, one["values"]["person.cin"], one["person"])
                if not is_there:
                    raise SystemExit("an exact look-up did not find its person")
                other, is_there = await look(connection, words, one["person"])
                if done >= 0:
                    notes.append(took)
                    tolerant.setdefault(way, []).append(other)
                    found[way] = found.get(way, 0) + is_there
                done += 1

    exact, _ = await together(port, 1, act, login)
    return exact, tolerant, found


if __name__ == "__main__":
    main()
