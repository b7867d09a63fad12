"""The receipt's proof: downloaded by its holder, checked by a program that knows nothing of ours, false at any change, and silent about the person."""

import ast
import base64
import json
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from engine import clock
from engine.actors import users
from engine.ledger import log, notes, verify_receipt
from tests.engine.ledger import second_verifier
from tests.web import printed
from tests.web.conftest import Browser
from tests.web.small.answers import reception
from tests.web.test_a_task_page import act, open_case

PROGRAM = Path(verify_receipt.__file__)


@pytest.fixture(scope="module")
def papers():
    """The letter as it was printed: within the minute, and when it was sealed."""
    return []


@pytest.fixture(scope="module")
def told(small, app, papers):
    """A person received, her receipt's code and proof, and what was typed of her."""
    salma, typed = Browser(app), reception()
    salma.sign_in("salma")
    open_case(salma)
    case = re.search(r"/cases/[0-9a-f-]{36}", salma.page.text)[0]
    act(salma, "complete", typed)
    code = re.search(r'aria-labelledby="receipt".*?<bdi dir="ltr"[^>]*>([^<]+)</bdi>', salma.get(case).text, re.S)[1]
    visitor = Browser(app)
    assert visitor.get("/receipt/proof", params={"code": code}).status_code == 409, "not sealed yet"
    letter = re.search(r"/letters/[0-9a-f-]{36}", salma.get(case).text)[0]
    papers.append(salma.get(letter).content)
    secret = notes.make_key("cps.test", notes.COSIGNATURE)
    with small.owner_work() as session:
        log.name_witness(session, users.system(), secret.key, "CPS")
    with small.unit_of_work(users.system()) as session:
        log.seal(session, users.system())
        sealed = log.latest(session)
        log.take_cosignature(session, sealed.size, notes.cosign(notes.open_note(sealed.note).text, secret, clock.system_now()))
        keys = log.keys(session)
    answer = visitor.get("/receipt/proof", params={"code": code.lower()})
    assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    papers.append(salma.get(letter).content)
    return code, answer.content, typed, str(keys[-1]), str(secret.key)


def run(tmp_path, content, *arguments):
    """The program alone, from an empty folder, without the project on its path."""
    if content is not None:
        (tmp_path / "receipt.json").write_bytes(content)
        arguments = ("receipt.json", *arguments)
    (tmp_path / "verify.py").write_bytes(PROGRAM.read_bytes())
    return subprocess.run([sys.executable, "-I", "verify.py", *arguments], cwd=tmp_path, capture_output=True, text=True, env={"PYTHONIOENCODING": "utf-8"}, check=False)


def test_the_program_is_short_and_needs_nothing():
    source = PROGRAM.read_text("utf-8")
    assert len(source.splitlines()) <= 400
    imported = {name.name.partition(".")[0] for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import) for name in node.names}
    assert not [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
    assert imported <= sys.stdlib_module_names


@pytest.mark.parametrize(("language", "said"), [("fr", "authentique"), ("ar", "صحيح"), ("en", "genuine")])
def test_it_holds_for_whoever_has_the_file_the_code_and_the_keys(told, tmp_path, language, said):
    code, content, _, key, witness = told
    done = run(tmp_path, content, "--code", code, "--key", key, "--witness", witness, "--language", language)
    assert done.returncode == 0 and said in done.stdout and code in done.stdout and "cps.test" in done.stdout, done.stdout + done.stderr


def test_without_the_keys_it_says_what_is_still_to_be_compared(told, tmp_path):
    done = run(tmp_path, told[1])
    assert done.returncode == 0 and told[3] in done.stdout and told[4] in done.stdout


def test_it_tells_nothing_of_the_person(told):
    _, content, typed, _, _ = told
    for name in ("person.nom_fr", "person.nom_ar", "person.prenom_fr", "person.cin", "person.tel"):
        if typed.get(name):
            assert str(typed[name]).encode() not in content, name
    told_line = json.loads(json.loads(content)["line"])
    assert told_line["kind"] == "operation.done" and "facts" not in told_line["body"]


def test_another_code_another_key_and_another_witness_do_not_hold(told, tmp_path):
    _, content, _, key, _ = told
    stranger, other = str(notes.make_key(key.partition("+")[0]).key), str(notes.make_key("ote.test", notes.COSIGNATURE).key)
    for wrong in (("--code", "ZZZZZZZZ"), ("--key", stranger), ("--witness", other)):
        done = run(tmp_path, content, *wrong)
        assert done.returncode == 1 and "PAS VALABLE" in done.stdout, wrong


def test_a_flipped_byte_anywhere_that_counts_does_not_hold(told):
    """Each byte of the line, the opening, the proof and the signed note; what stands beside (format, code, keys) is compared too."""
    code, content, _, key, witness = told
    good = json.loads(content)
    assert _holds(good, code, key, witness)
    for path in (("line",), ("opening", "salt"), ("opening", "value"), ("log", "checkpoint"), ("code",), ("format",), *((("log", "proof"), place) for place in range(len(good["log"]["proof"])))):
        within = good
        names = list(path[0]) if isinstance(path[0], tuple) else list(path[:-1])
        for name in names:
            within = within[name]
        last = path[-1]
        text = within[last]
        for place in range(0, len(text), 1 if len(text) < 200 else 3):
            within[last] = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
            assert not _holds(good, code, key, witness), (path, place)
        within[last] = text
    for index in (-1, good["log"]["index"] + 1, 10**9, "0"):
        was, good["log"]["index"] = good["log"]["index"], index
        assert not _holds(good, code, key, witness)
        good["log"]["index"] = was
    assert _holds(good, code, key, witness)


def _holds(told, code, key, witness) -> bool:
    try:
        return bool(list(verify_receipt.check(told, code, key, [witness])))
    except (verify_receipt.Wrong, ValueError, KeyError, TypeError, IndexError, OverflowError, AttributeError):
        return False


def test_the_second_verifier_agrees(told):
    found = json.loads(told[1])
    line = json.loads(found["line"])
    _, size, root = second_verifier.checkpoint(found["log"]["checkpoint"])
    leaf = second_verifier.entry_leaf(line["instance"], line["seq"], found["line"])
    assert second_verifier.inclusion_holds(leaf, found["log"]["index"], size, [base64.b64decode(one) for one in found["log"]["proof"]], root)


def test_its_own_ed25519_says_what_the_library_says():
    for turn in range(6):
        secret = notes.make_key("x")
        message = os.urandom(turn * 40)
        signature = notes.ALGORITHMS[1].sign(secret.secret, message)
        assert verify_receipt.ed25519_holds(secret.key.public, signature, message)
        for place in (0, 31, 32, 63):
            wrong = signature[:place] + bytes([signature[place] ^ 4]) + signature[place + 1 :]
            assert not verify_receipt.ed25519_holds(secret.key.public, wrong, message)
        assert not verify_receipt.ed25519_holds(secret.key.public, signature, message + b"x")


def test_the_page_offers_the_proof_and_the_program(told, browser):
    visitor = browser()
    for language, said in (("fr", "Preuve à garder"), ("ar", "إثبات للحفظ"), ("en", "Proof to keep")):
        page = visitor.get("/receipt", params={"code": told[0], "language": language}).text
        assert said in page and f"/receipt/proof?code={told[0]}" in page
    assert visitor.get("/receipt/verify_receipt.py").content == PROGRAM.read_bytes()
    assert visitor.get("/receipt/proof", params={"code": "ZZZZZZZZ"}).status_code == 404


def scanned(picture):
    """The square codes of a picture as a phone reads them."""
    return [one.text for one in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)]


@pytest.fixture(scope="module")
def codes(told, papers, tmp_path_factory):
    """What a phone reads on the printed letter, on each of its sides, at the resolution of a poor printer."""
    found = []
    for paper in papers:
        read = {text for page in printed.drawn(paper, tmp_path_factory.mktemp("paper")) for text in scanned(Image.open(page))}
        assert len(read) == 1, "the same on both sides"
        found.append(read.pop())
    return found


def test_the_code_on_the_paper_is_checked_without_a_file_and_without_a_network(told, codes, tmp_path):
    code, content, typed, key, _ = told
    for language, said in (("fr", "authentique"), ("ar", "صحيح")):
        done = run(tmp_path, None, "--qr", codes[1], "--key", key, "--code", code, "--language", language)
        assert done.returncode == 0 and said in done.stdout and code in done.stdout, done.stdout + done.stderr
    assert run(tmp_path, None, "--qr", codes[1]).returncode == 0
    for wrong in (("--code", "ZZZZZZZZ"), ("--key", str(notes.make_key(key.partition("+")[0]).key))):
        assert run(tmp_path, None, "--qr", codes[1], *wrong).returncode == 1, wrong
    both = run(tmp_path, content, "--qr", codes[1], "--key", key)
    assert both.returncode == 0 and "de la même inscription" in both.stdout
    for name in ("person.nom_fr", "person.nom_ar", "person.prenom_fr", "person.cin"):
        assert typed[name] not in verify_receipt.unpack(codes[1])["line"], name


def test_a_paper_printed_within_the_minute_is_held_against_the_file_of_later(told, codes, tmp_path):
    code, content, _, key, _ = told
    alone = run(tmp_path, None, "--qr", codes[0])
    assert alone.returncode == 3 and "avant d'être scellé" in alone.stdout
    both = run(tmp_path, content, "--qr", codes[0], "--key", key, "--code", code)
    assert both.returncode == 0 and "de la même inscription" in both.stdout
    other = json.loads(content)
    other["line"] = other["line"].replace('"agency":"OTE"', '"agency":"CPS"')
    assert run(tmp_path, json.dumps(other).encode(), "--qr", codes[0]).returncode == 1


def test_a_changed_letter_of_the_code_does_not_hold(told, codes):
    """Every third letter of it, the alphabet's next one in its place; the key that it brings counts too."""
    code, letters = told[0], verify_receipt.ALPHABET
    for place in range(0, len(codes[1]), 3):
        changed = codes[1][:place] + letters[(letters.index(codes[1][place]) + 1) % 45] + codes[1][place + 1 :]
        try:
            assert not list(verify_receipt.check(verify_receipt.unpack(changed), code)), place
        except (verify_receipt.Wrong, ValueError, KeyError, TypeError, IndexError, OverflowError, AttributeError, zlib.error):
            continue


def test_the_receipt_page_shows_the_same_code(told, codes, browser):
    for language in ("fr", "ar", "en"):
        page = browser().get("/receipt", params={"code": told[0], "language": language}).text
        drawn = re.search(r'<figure class="square.*?</svg>', page, re.S)[0]
        assert scanned(drawing(drawn)) == [codes[1]]


def drawing(svg):
    """A picture of the drawing of a square code: rows of runs of dark modules."""
    size = int(re.search(r'viewBox="0 0 (\d+) ', svg)[1])
    picture = Image.new("L", (size, size), 255)
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1", svg):
        picture.paste(0, (int(x), int(y), int(x) + int(width), int(y) + 1))
    return picture.resize((size * 4, size * 4), Image.Resampling.NEAREST)
