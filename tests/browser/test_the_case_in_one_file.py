"""The case as one file, opened from a disk with the network off: it verifies up to a signature, plays along its timeline, and turns red at one changed byte, naming the place.

Whoever changes it on purpose calculates its seal anew (`resealed`): then the chain, the log's signed root or the file's own signature give it away.
"""

import hashlib
import json
import random
import re
from dataclasses import replace
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from engine import clock
from engine.actors import users
from engine.insight import casefile
from engine.ledger import log, notes
from engine.settings import Settings
from tests.web.conftest import ADDRESS, Browser
from tests.web.test_a_task_page import act, complete, orientation, task_of
from tests.web.test_who_consulted_a_case import agree
from web.app import create_app


@pytest.fixture(scope="module")
def somebody(installed):
    app = create_app(Settings(is_demo=True), installed)

    def make(username):
        made = Browser(app)
        made.client = TestClient(app, base_url=ADDRESS)
        made.sign_in(username)
        return made

    return make


@pytest.fixture(scope="module")
def case(installed, somebody):
    """A case with two tasks done, one of which answered what is social."""
    salma, karim = somebody("salma"), somebody("karim")
    address = complete(salma)
    karim.get(task_of(karim, address))
    act(karim, "complete", orientation(karim.page))
    agree(installed, address)
    return address


@pytest.fixture(scope="module")
def early(case, somebody):
    """The file within the minute, before anything is sealed."""
    return somebody("chokri").get(f"{case}/casefile?language=fr&recipient=auditeur").content


@pytest.fixture(scope="module")
def sealed(installed, early):
    """The log as it was sealed, and seen by a witness."""
    secret = notes.make_key("cps.test", notes.COSIGNATURE)
    with installed.owner_work() as session:
        log.name_witness(session, users.system(), secret.key, "CPS")
    with installed.unit_of_work(users.system()) as session:
        log.seal(session, users.system())
        last = log.latest(session)
        log.take_cosignature(session, last.size, notes.cosign(notes.open_note(last.note).text, secret, clock.system_now()))
        return log.keys(session)[-1]


@pytest.fixture(scope="module")
def made(case, somebody, sealed):
    """The file as the auditor has it."""
    answer = somebody("chokri").get(f"{case}/casefile?language=fr&recipient=auditeur")
    assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    return answer.content


@pytest.fixture
def opened(chromium, tmp_path):
    """Opens bytes as a file of the disk, in a browser that has no network; whatever the page asks for fails the test."""
    contexts, asked = [], []

    def show(content, size=None, is_sound=True, page=None):
        path = tmp_path / f"{len(contexts)}.html"
        path.write_bytes(content)
        if page:  # the window that is there, which costs less
            page.goto(f"file://{path}")
            return page
        context = chromium.new_context(offline=True, viewport=size or {"width": 1280, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url) if not request.url.startswith("file:") else None)
        if is_sound:
            page.on("pageerror", lambda error: asked.append(str(error)))
        page.goto(f"file://{path}")
        return page

    yield show
    for context in contexts:
        context.close()
    assert not asked, asked


def resealed(content):
    """The same with a seal that fits, as whoever changes a file on purpose would leave it."""
    text = content.decode()
    found = {name: re.search(rf'<(?:style|script) id="{name}"[^>]*>(.*?)</(?:style|script)>', text, re.S)[1] for name in ("style", "content", "ledger", "proofs", "script")}
    frame = [re.search(r"<html [^>]*>", text)[0], *re.findall(r'<meta id="m[123]"[^>]*>', text), re.search(r'<title id="m4">.*?</title>', text)[0], re.search(r'<p id="state".*?</p>', text)[0]]
    seal = hashlib.sha256("\n".join((*frame, *found.values())).encode()).hexdigest()
    return re.sub(r'(<meta id="seal" content=")[0-9a-f]{64}', rf"\g<1>{seal}", text).encode()


def proofs(content):
    """The rows of the proofs: what was signed, hashes, a way for each line."""
    return re.search(rb'<script id="proofs" type="text/plain">(.*?)</script>', content, re.S)[1].split(b"\n")


def told(page):
    """What the page says in the end, and how."""
    page.wait_for_selector("#state:not(.wait)")
    return page.locator("#state").get_attribute("class"), page.locator("#state").inner_text()


def lines(content):
    return re.search(rb'<script id="ledger" type="text/plain">(.*?)</script>', content, re.S)[1].split(b"\n")[::2]


def test_it_verifies_and_plays_with_the_network_off(opened, made):
    page = opened(made)
    expect(page.locator("#state")).to_have_class("good")
    expect(page.locator("#state")).to_contain_text(f"journal signé : {len(lines(made))}.")
    expect(page.locator("#state")).to_contain_text("signés par la clé")
    steps = page.locator("ol.story button")
    assert steps.count() == len(lines(made))
    expect(page.locator("svg [data-id=accueillir].is, svg [data-id=accueillir].was")).to_have_count(0)
    page.locator("#time").focus()
    while page.locator("svg [data-id=accueillir].is").count() == 0:
        page.keyboard.press("ArrowRight")
        assert page.locator("#time").input_value() != str(steps.count() - 1), "the case stands at its first task at some time"
    page.keyboard.press("End")
    expect(page.locator("svg [data-id=accueillir].was")).to_have_count(1)
    expect(page.locator("svg [data-id=orienter].was")).to_have_count(1)
    told = steps.filter(has_text="Accueillir et identifier").filter(has_text="a terminé")
    told.click()
    expect(page.locator("#event")).to_contain_text("Numéro de la CIN")
    expect(page.locator("#event")).to_contain_text("Réponses laissées de côté")
    page.get_by_role("button", name="Rejouer").click()
    expect(page.locator("#time")).not_to_have_value(str(steps.count() - 1))


@pytest.mark.parametrize("where", ["early", "middle", "late"])
def test_one_changed_byte_of_a_line_turns_it_red_and_names_the_line(opened, made, where):
    rows = lines(made)
    place = {"early": 0, "middle": len(rows) // 2, "late": len(rows) - 1}[where]
    at = made.index(rows[place]) + rows[place].index(b'"occurred_at":"20') + len(b'"occurred_at":"2')
    page = opened(made[:at] + b"1" + made[at + 1 :])
    expect(page.locator("#state")).to_have_class("bad")
    expect(page.locator("#state")).to_contain_text(f"ligne {place + 1} ")


def test_a_removed_line_a_moved_line_a_changed_value_and_a_changed_word_turn_it_red(opened, made):
    text = made.decode()
    rows = [one for one in re.search(r'<script id="ledger" type="text/plain">(.*?)</script>', text, re.S)[1].split("\n")]
    pairs = [(rows[at], rows[at + 1]) for at in range(0, len(rows), 2)]
    without = text.replace(f"{pairs[2][0]}\n{pairs[2][1]}\n", "")
    moved = text.replace(f"{pairs[2][0]}\n{pairs[2][1]}\n{pairs[3][0]}\n{pairs[3][1]}", f"{pairs[3][0]}\n{pairs[3][1]}\n{pairs[2][0]}\n{pairs[2][1]}")
    cut = text.replace(f"\n{pairs[-1][0]}\n{pairs[-1][1]}", "")
    opened_values = next(second for _, second in pairs if '"person:' in second)
    salt = re.search(r'\["([0-9a-f]{32})"', opened_values)[1]
    lied = text.replace(salt, salt[:-1] + ("0" if salt[-1] != "0" else "1"))
    word = text.replace("a terminé", "a ouvert ", 1) if "a terminé" in text else ""
    page = opened(made)
    for changed, said in ((without, "manque"), (moved, "place"), (cut, "fin de l'histoire"), (lied, "Une valeur"), (word, "phrases")):
        assert changed and changed != text, said
        kind, shown = told(opened(changed.encode(), page=page))
        assert kind == "bad" and said in shown


def test_any_byte_of_the_file_turns_it_red(opened, made, chromium, tmp_path):
    """Wherever it lies, but in the marks of the page that say nothing: a sample, of a published seed."""
    draw = random.Random(1849)
    page = opened(made, is_sound=False)
    skeleton = len(made) - len(made.split(b"</main>", 1)[1])
    for at in [*(draw.randrange(len(made)) for _ in range(25)), made.index(b"<title") + 20, made.index(b'id="state"') + 60, skeleton + 60]:
        path = tmp_path / "changed.html"
        path.write_bytes(made[:at] + bytes([made[at] ^ 1]) + made[at + 1 :])
        page.goto(f"file://{path}")
        assert page.locator("#state").count() == 0 or told(page)[0] == "bad", (at, made[at - 40 : at + 40])


def test_what_the_recipient_may_not_see_is_left_out_and_the_file_verifies_all_the_same(opened, made, case, installed):
    text = made.decode()
    assert "Dridi" in text, "positive control: the auditor reads the common class"
    sealed = [json.loads(row.split(b" ", 2)[2])["sealed"] for row in lines(made)]
    assert any("depistage.sans_abri_ce_soir" in name for one in sealed for name in one), "the commitment stays"
    social = [one for row in re.search(r'<script id="ledger" type="text/plain">(.*?)</script>', text, re.S)[1].split("\n")[1::2] for one in json.loads(row)]
    assert social and not any("depistage" in name for name in social)
    with installed.reading(replace(users.system(), language="ar")) as session:  # whoever makes it sees everything
        files = {one: casefile.make(session, replace(users.system(), language="ar"), UUID(case.rpartition("/")[2]), one).content for one in ("personne", "tribunal", "CPS", "ANETI", "auditeur")}
    for recipient, less in files.items():
        opened_rows = re.search(r'<script id="ledger" type="text/plain">(.*?)</script>', less.decode(), re.S)[1].split("\n")[1::2]
        assert any("depistage" in name for row in opened_rows for name in json.loads(row)) is (recipient in ("personne", "tribunal", "CPS")), recipient
        assert b"Dridi" in less
        page = opened(less, {"width": 390, "height": 780})
        expect(page.locator("#state")).to_have_class("good")
        expect(page.locator("html")).to_have_attribute("dir", "rtl")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing is cut off on a phone"


def test_who_may_take_it_out_and_that_it_is_told(installed, case, somebody):
    for who, status in {"meriem": 200, "chokri": 200, "karim": 404, "salma": 404, "ines": 404, "zied": 404}.items():
        for asked in ("", "?recipient=personne"):
            assert somebody(who).get(f"{case}/casefile{asked}").status_code == status, who
    assert somebody("chokri").get(f"{case}/casefile?recipient=tout-le-monde").status_code == 422
    assert somebody("chokri").get(f"{case}/casefile?recipient=PART").status_code == 403, "she agreed to no partner"
    page = somebody("chokri").get(f"{case}/readers?language=fr").text
    assert "Meriem Louati" in page and "a sorti le dossier en un fichier, destiné à : la personne elle-même." in page


def test_a_file_taken_within_the_minute_says_that_it_is_not_sealed_yet(opened, early, made):
    assert told(opened(early)) == ("part", "Ce dossier vient d'être ouvert, aucune de ses lignes n'est encore scellée dans le journal signé. Reprenez le fichier dans une minute.")
    ways = b"\n".join(proofs(made))
    assert told(opened(resealed(made.replace(ways, ways.rpartition(b"\n")[0] + b"\n"))))[0] == "bad", "not made here: its signature is of another file"


def flipped(content, within, at):
    """The file with one byte changed at `at` of a part of it, or at the next one that stays a letter or a figure: what is no Base64 any more is another fault."""
    place = content.index(within) + at
    place = next((one for one in range(place, place + 12) if chr(content[one]).isalnum() and chr(content[one] ^ 1).isalnum()), place)
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def test_a_changed_proof_checkpoint_or_signature_turns_it_red_and_names_the_place(opened, made, sealed):
    signed, hashes, *ways = proofs(made)
    note = json.loads(signed)["checkpoint"]
    page = opened(made)
    assert told(page)[0] == "good"
    expect(page.locator("#proof")).to_contain_text("Témoin CPS : a vu ce journal")
    third = (ways[2].split(b" ")[1:], ways[2])[0]
    own = hashes.split(b" ")[int(third[0])]
    row = lambda text: text.encode().replace(b"\n", b"\\n")  # noqa: E731
    body, _, signatures = note.rpartition("\n\n")
    log_line, witness_line = signatures.splitlines()
    cases = {
        "proof": (own, 5, "Sa preuve ne mène pas"), "path": (b"\n" + ways[-1] + b"</script>", 1, f"ligne {len(ways)} "),
        "size": (row(body), body.index("\n") + 1, "Le point de contrôle"), "root": (row(body), len(row(body)) - 20, "Le point de contrôle"),
        "signature": (log_line.encode(), len(log_line.encode()) - 30, "Le point de contrôle"), "witness": (witness_line.encode(), len(witness_line.encode()) - 30, "La parole du témoin CPS est fausse"),
        "key": (str(sealed).encode(), len(str(sealed)) - 20, "Le point de contrôle"), "file": (b'<meta id="signed"', 80, "La signature du fichier"),
    }  # fmt: skip
    for name, (within, at, said) in cases.items():
        changed = flipped(made, within, at)
        for content in (changed, resealed(changed)) if name in ("proof", "root") else (changed,):
            kind, text = told(opened(content, page=page))
            assert kind == "bad" and said in text, (name, text)


def test_who_calculates_the_seal_anew_is_given_away_all_the_same(opened, made):
    """A line rewritten with its hash and all links; a word of a sentence; the last lines left out; the file's signature left out."""
    text = made.decode()
    rows = re.search(r'<script id="ledger" type="text/plain">(.*?)</script>', text, re.S)[1].split("\n")
    forged, prev = list(rows), {}
    for at in range(0, len(rows), 2):
        part, digest, line = rows[at].split(" ", 2)
        if at == 4:
            line = line.replace('"agency":"OTE"', '"agency":"CPS"')
        line = re.sub(r'"prev":"[0-9a-f]{64}"', lambda found: f'"prev":"{prev[part]}"' if part in prev else found[0], line)
        prev[part] = hashlib.sha256(line.encode()).hexdigest()
        forged[at] = f"{part} {prev[part]} {line}"
        text = text.replace(f'"head":"{digest}"', f'"head":"{prev[part]}"')
    page = opened(made)
    kind, said = told(opened(page=page, content=resealed(text.replace("\n".join(rows), "\n".join(forged)).encode())))
    assert kind == "bad" and "ligne 3 " in said and "Sa preuve ne mène pas" in said
    kind, said = told(opened(page=page, content=resealed(made.replace("a terminé".encode(), "a corrigé".encode()))))
    assert kind == "bad" and "La signature du fichier" in said
    kind, said = told(opened(page=page, content=resealed(re.sub(rb'(<meta id="signed" content=")[^"]*', rb"\1", made))))
    assert kind == "part" and "signé par aucune clé" in said


def test_a_key_from_elsewhere_is_compared(opened, made, sealed):
    page = opened(made)
    told(page)
    page.fill("#trusted", str(sealed))
    expect(page.locator("#trust")).to_contain_text("C'est bien cette clé")
    assert told(page)[0] == "good"
    page.fill("#trusted", str(notes.make_key(sealed.name).key))
    expect(page.locator("#state")).to_have_class("bad")
    expect(page.locator("#state")).to_contain_text("une autre clé")


def test_a_browser_without_ed25519_says_so_and_checks_the_rest(chromium, made, tmp_path):
    context = chromium.new_context(offline=True)
    context.add_init_script("crypto.subtle.importKey = () => Promise.reject(new DOMException('no', 'NotSupportedError'))")
    for content, kind, said in ((made, "part", "ce navigateur ne sait pas vérifier les signatures"), (flipped(made, proofs(made)[1], 3), "bad", "Sa preuve ne mène pas")):
        path = tmp_path / "old.html"
        path.write_bytes(content)
        page = context.new_page()
        page.goto(f"file://{path}")
        assert told(page)[0] == kind and said in told(page)[1]
    context.close()
