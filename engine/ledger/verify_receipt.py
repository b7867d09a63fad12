#!/usr/bin/env python3
"""Checks a receipt of Masar without Masar: no network, no account, nothing to install beside Python 3.9.

    python3 verify_receipt.py FILE [--code CODE] [--key KEY] [--witness KEY]… [--qr TEXT] [--language fr|ar|en]
    python3 verify_receipt.py --qr TEXT [--key KEY] …

FILE is what was downloaded with the receipt. TEXT is what a phone reads in the square code of the paper (- : from the standard input). CODE is what is
printed on the paper. KEY is the key of the log, and each witness's, as they are printed or published by the agencies: without them the file is only
compared with itself, and the answer says so.

Exit: 0 it holds, 1 it does not, 2 it cannot be read, 3 the paper was printed before it was sealed. The format is written down in engine/ledger/README.md.
"""

import argparse
import base64
import datetime as dt
import hashlib
import json
import sys
import uuid
import zlib

FORMAT = "masar-receipt/1"


class Wrong(Exception):
    """What does not hold: the name of a sentence, and what fills it."""


# ── Words ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

WORDS = {
    "fr": {
        "holds": "Ce reçu est authentique.",
        "fails": "CE REÇU N'EST PAS VALABLE : {why}",
        "unreadable": "Ce fichier ne se lit pas comme un reçu : {why}",
        "pending": "Ce papier a été imprimé avant d'être scellé : rien ne le contredit, rien ne le prouve encore.",
        "unsealed": "Téléchargez sa preuve avec le code {code}, puis vérifiez-la avec ce même texte : --qr.",
        "same": "Le papier scanné et le fichier sont de la même inscription.",
        "line": "Inscrit le {at} par {agency}, antenne {branch} ; dossier {instance}, inscription n° {seq}.",
        "log": "Inscription n° {index} d'un journal de {size}, signé par la clé {key}.",
        "code": "C'est bien le papier qui porte le code {code}.",
        "no_code": "Le lien avec le code du papier ne peut plus être montré : les données de la personne ont été effacées.",
        "witness": "Témoin {name} : a vu ce journal le {at}.",
        "trusted": "La clé est celle que vous avez donnée.",
        "untrusted": "Comparez cette clé avec celle qui est affichée dans l'antenne ou publiée : {key}",
        "unknown_witness": "Comparez aussi la clé de ce témoin : {key}",
        "why.line": "le texte de l'inscription ne se lit pas",
        "why.inclusion": "l'inscription n'est pas dans le journal signé",
        "why.signature": "le journal n'est pas signé par une clé du fichier",
        "why.key": "le journal n'est pas signé par la clé que vous avez donnée, ni par une clé qu'elle a désignée",
        "why.code": "le papier et l'inscription ne vont pas ensemble",
        "why.witness": "la parole du témoin {name} est fausse",
        "why.paper": "le papier scanné et le fichier ne sont pas de la même inscription",
        "why.missing_witness": "le témoin {name}, que vous avez demandé, n'a pas vu ce journal",
    },
    "ar": {
        "holds": "هذا الوصل صحيح.",
        "fails": "هذا الوصل غير صالح: {why}",
        "unreadable": "لا يُقرأ هذا الملف كوصل: {why}",
        "pending": "طُبعت هذه الورقة قبل ختمها: لا شيء يناقضها، ولا شيء يثبتها بعد.",
        "unsealed": "نزّل إثباتها بالرمز {code} ثم تحقق منه بهذا النص نفسه: --qr.",
        "same": "الورقة الممسوحة والملف من القيد نفسه.",
        "line": "قُيّد يوم {at} من قبل {agency}، فرع {branch}؛ الملف {instance}، القيد عدد {seq}.",
        "log": "القيد عدد {index} من سجل فيه {size}، موقّع بالمفتاح {key}.",
        "code": "هذه هي الورقة التي تحمل الرمز {code}.",
        "no_code": "لم يعد ممكنا إظهار الصلة برمز الورقة: حُذفت معطيات الشخص.",
        "witness": "الشاهد {name}: رأى هذا السجل يوم {at}.",
        "trusted": "المفتاح هو الذي أعطيته.",
        "untrusted": "قارن هذا المفتاح بالمفتاح المعلّق في الفرع أو المنشور: {key}",
        "unknown_witness": "قارن أيضا مفتاح هذا الشاهد: {key}",
        "why.line": "لا يُقرأ نص القيد",
        "why.inclusion": "القيد ليس في السجل الموقّع",
        "why.signature": "السجل غير موقّع بأي مفتاح من الملف",
        "why.key": "السجل غير موقّع بالمفتاح الذي أعطيته، ولا بمفتاح عيّنه",
        "why.code": "الورقة والقيد لا يتطابقان",
        "why.witness": "شهادة الشاهد {name} غير صحيحة",
        "why.paper": "الورقة الممسوحة والملف ليسا من القيد نفسه",
        "why.missing_witness": "الشاهد {name} الذي طلبته لم ير هذا السجل",
    },
    "en": {
        "holds": "This receipt is genuine.",
        "fails": "THIS RECEIPT DOES NOT HOLD: {why}",
        "unreadable": "This file does not read as a receipt: {why}",
        "pending": "This paper was printed before it was sealed: nothing speaks against it, nothing proves it yet.",
        "unsealed": "Download its proof with the code {code}, then check that with this same text: --qr.",
        "same": "The scanned paper and the file are of the same entry.",
        "line": "Entered on {at} by {agency}, branch {branch}; case {instance}, entry no. {seq}.",
        "log": "Entry no. {index} of a log of {size}, signed by the key {key}.",
        "code": "This is the paper that bears the code {code}.",
        "no_code": "The link with the paper's code can be shown no more: the person's data were erased.",
        "witness": "Witness {name}: saw this log on {at}.",
        "trusted": "The key is the one that you gave.",
        "untrusted": "Compare this key with the one shown in the branch or published: {key}",
        "unknown_witness": "Compare this witness's key too: {key}",
        "why.line": "the text of the entry cannot be read",
        "why.inclusion": "the entry is not in the signed log",
        "why.signature": "the log is not signed by a key of the file",
        "why.key": "the log is not signed by the key that you gave, nor by one that it vouched for",
        "why.code": "the paper and the entry do not belong together",
        "why.witness": "the word of the witness {name} is false",
        "why.paper": "the scanned paper and the file are not of the same entry",
        "why.missing_witness": "the witness {name}, whom you asked for, did not see this log",
    },
}

# ── Ed25519 (RFC 8032 §5.1.7), checking only ────────────────────────────────────────────────────────────────────────────────────────

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def _x_of(y, sign):
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT % P
    if (x * x - x2) % P or (x == 0 and sign):
        raise ValueError("no point of the curve")
    return P - x if x & 1 != sign else x


def _point(content):
    y = int.from_bytes(content, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if len(content) != 32 or y >= P:
        raise ValueError("no point of the curve")
    x = _x_of(y, sign)
    return x, y, 1, x * y % P


def _add(one, two):
    a, b = (one[1] - one[0]) * (two[1] - two[0]) % P, (one[1] + one[0]) * (two[1] + two[0]) % P
    c, d = 2 * one[3] * two[3] * D % P, 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar, point):
    found = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            found = _add(found, point)
        point, scalar = _add(point, point), scalar >> 1
    return found


_BASE_Y = 4 * pow(5, -1, P) % P
BASE = (_x_of(_BASE_Y, 0), _BASE_Y, 1, _x_of(_BASE_Y, 0) * _BASE_Y % P)


def ed25519_holds(public, signature, message):
    """Whether the signature is that key's, of that message."""
    try:
        key, r, s = _point(public), _point(signature[:32]), int.from_bytes(signature[32:], "little")
    except ValueError:
        return False
    if len(signature) != 64 or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    left, right = _times(s, BASE), _add(r, _times(h, key))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# ── Keys, notes, the tree ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _bytes(text):
    """Bytes out of base64, written in the one way that there is."""
    found = base64.b64decode(text, validate=True)
    if base64.b64encode(found).decode() != text:
        raise ValueError("base64 that is written otherwise")
    return found


class Key:
    """`name+id+base64(algorithm ‖ public key)`; algorithm 1 signs a log, 4 is a witness's."""

    def __init__(self, text):
        self.text = text.strip()
        self.name, self.id, content = self.text.split("+", 2)
        content = _bytes(content)
        self.algorithm, self.public = content[0], content[1:]
        if self.algorithm not in (1, 4) or hashlib.sha256(f"{self.name}\n".encode() + content).digest()[:4].hex() != self.id:
            raise ValueError("a key that is none")


def open_note(note):
    """The text, and its signatures: (name, id, signature)."""
    text, mark, rest = note.rpartition("\n\n")
    if not mark or not rest.endswith("\n"):
        raise ValueError("no signed note")
    found = []
    for line in rest[:-1].split("\n"):
        dash, name, content = line.split(" ")
        content = _bytes(content)
        if dash != "—":
            raise ValueError("no signed note")
        found.append((name, content[:4].hex(), content[4:]))
    return text + "\n", found


def is_signed(text, signatures, key):
    return any((name, key_id) == (key.name, key.id) and ed25519_holds(key.public, signature, text.encode()) for name, key_id, signature in signatures)


def vouched_for(first, chain):
    """The keys that a trusted one vouches for, itself first."""
    found = [first]
    for link in chain:
        if link["word"]:
            new = Key(link["key"])
            text, signatures = open_note(link["word"])
            if text == f"masar/key-rotation\n{found[-1].text}\n{new.text}\n" and is_signed(text, signatures, found[-1]):
                found.append(new)
    return found


def root_of(index, size, leaf, proof):
    """The root that the proof leads to (RFC 9162 §2.1.3.2); None where it leads nowhere."""
    if not 0 <= index < size:
        return None
    last, found = size - 1, leaf
    for one in proof:
        if last == 0 or len(one) != 32:
            return None
        if index & 1 or index == last:
            found = hashlib.sha256(b"\1" + one + found).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\1" + found + one).digest()
        index, last = index >> 1, last >> 1
    return found if last == 0 else None


# ── The square code of a paper ──────────────────────────────────────────────────────────────────────────────────────────────────────

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def unpack(text):
    """What a paper's square code holds, in the form of the file."""
    if text[:7] not in ("MASAR1:", "MASAR1-"):
        raise ValueError("no code of a paper")
    content, parts = _base45(text[7:].rstrip("\r\n")), []
    while content:
        past = 2 + int.from_bytes(content[:2], "big")
        if past > len(content):
            raise ValueError("a code that was cut off")
        parts, content = [*parts, content[2:past]], content[past:]
    code, line, salt, place, hashes, origin, signature, key = parts
    code, line, origin = code.decode(), zlib.decompressobj().decompress(line, 65536).decode(), origin.decode()
    told = {"format": FORMAT, "code": code, "line": line, "opening": {"salt": salt.hex(), "value": code} if salt else None, "log": None, "keys": [], "witnesses": []}
    if place:
        index, size = json.loads(place)
        proof = [base64.b64encode(hashes[at : at + 32]).decode() for at in range(0, len(hashes), 32)]
        root = root_of(index, size, _leaf(line), [_bytes(one) for one in proof]) or b""
        note = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n\n— {origin} {base64.b64encode(signature).decode()}\n"
        told["log"] = {"index": index, "proof": proof, "checkpoint": note}
        told["keys"] = [{"key": f"{origin}+{hashlib.sha256(origin.encode() + chr(10).encode() + key).digest()[:4].hex()}+{base64.b64encode(key).decode()}", "word": ""}]
    return told


def _base45(text):
    found = bytearray()
    for at in range(0, len(text), 3):
        digits = [ALPHABET.index(one) for one in text[at : at + 3]]
        found += sum(one * 45**power for power, one in enumerate(digits)).to_bytes(len(digits) - 1, "big")
    return bytes(found)


# ── Checking ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def check(told, code="", key="", witnesses=()):
    """What holds, as (sentence, what fills it). Raises Wrong; ValueError, KeyError, TypeError where it is no receipt."""
    if told["format"] != FORMAT:
        raise ValueError(told["format"])
    line = _line(told["line"])
    yield "line", {"at": _day(line["recorded_at"]), "agency": line["actor"]["agency"] or "Masar", "branch": line["actor"]["branch"] or "–",
                   "instance": line["instance"], "seq": line["seq"]}  # fmt: skip
    if told["log"] is None:
        yield from _code(told, line, code)
        yield "unsealed", {"code": told["code"]}
        return
    text, signatures = open_note(told["log"]["checkpoint"])
    _, size, root = text.split("\n")[:3]
    proof = [_bytes(one) for one in told["log"]["proof"]]
    if root_of(told["log"]["index"], int(size), _leaf(told["line"]), proof) != _bytes(root):
        raise Wrong("why.inclusion", {})
    signer = _signer(text, signatures, told["keys"], key)
    yield "log", {"index": told["log"]["index"] + 1, "size": size, "key": signer.id}
    yield ("trusted", {}) if key else ("untrusted", {"key": signer.text})
    yield from _code(told, line, code)
    yield from _witnesses(text, signatures, told, witnesses)


def _leaf(text):
    """The hash of a line's leaf."""
    line = json.loads(text)
    return hashlib.sha256(b"\0" + uuid.UUID(line["instance"]).bytes + line["seq"].to_bytes(8, "big") + hashlib.sha256(text.encode()).digest()).digest()


def _line(text):
    try:
        line = json.loads(text)
        if json.dumps(line, ensure_ascii=False, sort_keys=True, separators=(",", ":")) != text or type(line["seq"]) is not int:
            raise ValueError("a line that is written otherwise")
        return line
    except (ValueError, KeyError, TypeError):
        raise Wrong("why.line", {}) from None


def _signer(text, signatures, chain, key):
    known = vouched_for(Key(key), chain) if key else [Key(link["key"]) for link in chain]
    for one in reversed(known):
        if one.algorithm == 1 and is_signed(text, signatures, one):
            return one
    raise Wrong("why.key" if key else "why.signature", {})


def _code(told, line, typed):
    opening = told["opening"]
    if opening is None:
        if typed and typed.upper() != told["code"]:
            raise Wrong("why.code", {})
        yield "no_code", {}
        return
    commitment = hashlib.sha256(bytes.fromhex(opening["salt"]) + json.dumps(opening["value"], ensure_ascii=False).encode()).hexdigest()
    if line["sealed"].get("code") != commitment or opening["value"] != told["code"] or (typed and typed.upper() != opening["value"]):
        raise Wrong("why.code", {})
    yield "code", {"code": opening["value"]}


def _witnesses(text, signatures, told, asked):
    wanted = {one.id: one for one in map(Key, asked)}
    known = {**{one.id: one for one in (Key(each["key"]) for each in told["witnesses"])}, **wanted}
    seen = set()
    for name, key_id, content in signatures:
        one = known.get(key_id)
        if one is None or one.algorithm != 4:
            continue
        seconds = int.from_bytes(content[:8], "big")
        if name != one.name or not ed25519_holds(one.public, content[8:], f"cosignature/v1\ntime {seconds}\n{text}".encode()):
            raise Wrong("why.witness", {"name": name})
        seen.add(key_id)
        yield "witness", {"name": name, "at": _day(dt.datetime.fromtimestamp(seconds, dt.timezone.utc).isoformat())}
        if key_id not in wanted:
            yield "unknown_witness", {"key": one.text}
    for key_id, one in wanted.items():
        if key_id not in seen:
            raise Wrong("why.missing_witness", {"name": one.name})


def _day(instant):
    """As it was in Tunis: an hour ahead of UTC all year."""
    at = dt.datetime.fromisoformat(instant).astimezone(dt.timezone(dt.timedelta(hours=1)))
    return at.strftime("%d/%m/%Y %H:%M")


def main(arguments):
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("file", nargs="?")
    asked.add_argument("--qr", default="")
    asked.add_argument("--code", default="")
    asked.add_argument("--key", default="")
    asked.add_argument("--witness", action="append", default=[])
    asked.add_argument("--language", choices=sorted(WORDS), default="fr")
    given = asked.parse_args(arguments)
    words = WORDS[given.language]
    try:
        scanned = given.qr and unpack(sys.stdin.read() if given.qr == "-" else given.qr)
        told = scanned
        if given.file:
            with open(given.file, encoding="utf-8") as file:
                told = json.load(file)
        held = list(check(told, given.code, given.key, given.witness))
        if given.file and scanned:
            if (scanned["line"], scanned["code"]) != (told["line"], told["code"]):
                raise Wrong("why.paper", {})
            held.append(("same", {}))
    except Wrong as trouble:
        name, filled = trouble.args
        print(words["fails"].format(why=words[name].format(**filled)))
        return 1
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, zlib.error) as trouble:
        print(words["unreadable"].format(why=trouble))
        return 2
    is_pending = any(name == "unsealed" for name, _ in held)
    print(words["pending" if is_pending else "holds"])
    for name, filled in held:
        print("· " + words[name].format(**filled))
    return 3 if is_pending else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
