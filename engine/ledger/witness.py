"""A witness: one for each agency, on a machine of its own. It looks at the log now and then, and cosigns what goes on from what it saw, or shouts.

`python -m engine.ledger.witness look FOLDER ADDRESS` (or `masar witness look …`). FOLDER holds all that it knows: `witness.key` (its own key, which nobody
else reads), `log.key` (the log's key, as trusted now) and `seen` (every checkpoint that it cosigned, oldest first, one line of JSON each). It needs
nothing of Masar's database. What it cannot see: lines of the last minute, and what was false when it was written.
"""

import base64
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine import clock
from engine.ledger import merkle, notes

_LARGEST = 1_000_000


class Shout(Exception):
    """The log is not what it was: the sentence says how. Somebody must look, and keep the folder as it is."""


class CannotLook(Exception):
    """Nothing was learnt: no answer, no key yet, a folder that cannot be read."""


class Refused(CannotLook):
    """The log answered, and refused."""


class Witness:
    """What a witness knows and does. `ask(path, posted)` gives the JSON that the log answers; raises CannotLook."""

    def __init__(self, folder: Path, ask: Any) -> None:
        self.folder, self.ask = folder, ask

    def begin(self, name: str) -> notes.Key:
        """Makes this witness's key; returns what the log's installation is to be told (`masar witness name`)."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        secret = notes.make_key(name, notes.COSIGNATURE)
        try:
            _write(self.folder / "witness.key", secret.written(), fresh=True)
        except FileExistsError as trouble:
            raise CannotLook(f"This folder is a witness's already: {self.folder / 'witness.key'} is kept as it is. Begin in another folder.") from trouble
        return secret.key

    def trust(self, key: notes.Key) -> None:
        """The log's key is this one: read it where it is printed or published, not from the log alone."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(self.folder / "log.key", f"{key}\n")

    def look(self) -> str:
        """Looks once: cosigns and keeps the newest checkpoint if it goes on from the last one; says what it did. Raises Shout, CannotLook."""
        found = self.ask("/checkpoint", None)
        note = notes.open_note(str(found["note"]))
        said = notes.read_checkpoint(note.text)
        changed = self._check_key(note, found.get("keys", ()))
        seen = self.seen()
        if seen:
            self._check_prefix(seen, said)
        if seen and seen[-1]["size"] == said.size:
            return f"{changed}Nothing new: {said.size} entries."
        words = self._cosign(note, said)
        return f"{changed}{said.size} entries go on from {seen[-1]['size'] if seen else 0}{words}."

    def seen(self) -> list[dict[str, Any]]:
        """The checkpoints that were cosigned, the oldest first."""
        file = self.folder / "seen"
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []

    def _check_key(self, note: notes.Note, chain: Any) -> str:
        file = self.folder / "log.key"
        if not file.exists():
            raise CannotLook("The log's key is not known yet: `trust` it first, as it is printed or published.")
        trusted = notes.read_key(file.read_text("utf-8"))
        signer = next((key for key in reversed(notes.follow(trusted, chain)) if notes.is_signed(note, key)), None)
        if signer is None:
            raise Shout(f"The checkpoint is not signed by the key that is trusted ({trusted.id.hex()}), nor by one that it vouches for.")
        if signer == trusted:
            return ""
        self.trust(signer)
        return f"The log signs with another key now, {signer.id.hex()}, and the old one vouches for it. "

    def _check_prefix(self, seen: list[dict[str, Any]], said: notes.Checkpoint) -> None:
        last = seen[-1]
        if said.origin != last["origin"]:
            raise Shout(f"This is another log: {said.origin}, where it was {last['origin']}.")
        if said.size < last["size"]:
            raise Shout(f"The log has {said.size} entries and had {last['size']}: it was cut, or an old copy took its place.")
        if self._goes_on(last, said):
            return
        good = 0
        for one in seen:  # where it was still the same: what was rewritten lies after it
            if not self._goes_on(one, said):
                raise Shout(f"The log was rewritten: entries {good} to {one['size'] - 1} are not what they were when {one['size']} were seen.")
            good = one["size"]

    def _goes_on(self, old: Mapping[str, Any], said: notes.Checkpoint) -> bool:
        root = base64.b64decode(old["root"])
        if old["size"] == said.size:
            return root == said.root
        try:
            told = self.ask(f"/consistency?old={old['size']}&new={said.size}", None)
            proof = [base64.b64decode(one) for one in told["proof"]]
        except (Refused, KeyError, TypeError, ValueError):  # a log that will not prove it does not go on
            return False
        return merkle.is_consistent(old["size"], said.size, root, said.root, proof)

    def _cosign(self, note: notes.Note, said: notes.Checkpoint) -> str:
        """Keeps first, then tells the log, whose not hearing it changes nothing here."""
        secret = notes.read_secret((self.folder / "witness.key").read_text("ascii"))
        line = notes.cosign(note.text, secret, clock.system_now())
        kept = {"origin": said.origin, "size": said.size, "root": base64.b64encode(said.root).decode(), "line": line}
        with open(self.folder / "seen", "a", encoding="utf-8") as file:
            file.write(json.dumps(kept) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            self.ask(f"/checkpoints/{said.size}/cosignatures", {"line": line})
        except CannotLook as trouble:
            return f"; the word is kept here, the log did not take it ({trouble})"
        return ", cosigned"


def over_http(address: str) -> Any:
    """Asks the log's API at an address like https://masar.example.tn."""
    base = f"{address.rstrip('/')}/api/v1/log"
    if urllib.parse.urlsplit(base).scheme not in ("http", "https"):
        raise CannotLook("The address begins with https:// (or http://).")

    def ask(path: str, posted: Any) -> Any:
        content = json.dumps(posted).encode() if posted is not None else None
        request = urllib.request.Request(base + path, content, {"content-type": "application/json"} if content else {})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read(_LARGEST))
        except urllib.error.HTTPError as trouble:
            raise (Refused if trouble.code < 500 else CannotLook)(f"the log answers {trouble.code}") from trouble
        except (OSError, ValueError) as trouble:
            raise CannotLook(f"the log cannot be asked: {trouble}") from trouble

    return ask


def _write(file: Path, content: str, *, fresh: bool = False) -> None:
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | (os.O_EXCL if fresh else os.O_TRUNC), 0o600), "w", encoding="utf-8") as opened:
        opened.write(content)


def main(arguments: list[str]) -> int:
    """`begin FOLDER NAME` · `trust FOLDER KEY` · `look FOLDER ADDRESS`: 0 all is well, 1 shout, 2 nothing learnt."""
    if len(arguments) != 3 or arguments[0] not in ("begin", "trust", "look"):
        print(main.__doc__, file=sys.stderr)
        return 2
    act, folder, about = arguments
    try:
        witness = Witness(Path(folder), over_http(about) if act == "look" else None)
        if act == "begin":
            print(f"This witness's key, for the log's installation (masar witness name): {witness.begin(about)}")
        elif act == "trust":
            witness.trust(notes.read_key(about))
        else:
            print(witness.look())
    except Shout as trouble:
        print(f"ALARM. {trouble}", file=sys.stderr)
        return 1
    except notes.Unreadable as trouble:
        print(f"{'ALARM. What the log answers cannot be read: ' if act == 'look' else ''}{trouble}.", file=sys.stderr)
        return 1 if act == "look" else 2
    except (CannotLook, OSError, KeyError, TypeError, ValueError) as trouble:
        print(f"Nothing learnt. {trouble}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
