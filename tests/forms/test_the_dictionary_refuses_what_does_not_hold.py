import random
import tomllib
from pathlib import Path

import pytest

from forms import dictionary, form, toml
from forms.text import FormError
from tests.forms.conftest import CHOICES, FILES, LABEL, PURPOSES, TITLE, group

ROOT = Path(__file__).resolve().parents[2]


def refused(**changed):
    with pytest.raises(FormError) as caught:
        dictionary.read(FILES | {name.replace("_", "."): content for name, content in changed.items()})
    return {(found.code, found.where) for found in caught.value.findings}


def field(said, name="a"):
    return refused(x_toml=group("x", "case", **{name: said}))


def test_the_dictionary_of_the_project_holds_together():
    read = dictionary.load(ROOT / "forms" / "dictionary")
    assert len(read.fields) > 600
    order = [spec.id for spec in read.computed]
    assert order.index("durabilite.composite") > order.index("durabilite.score_social")
    assert read.fields["depistage.sans_abri_ce_soir"].unknown, "yes, no or unknown, by its type"
    assert read.fields["person.pj01"].held_by == "INTERIEUR"
    assert read.fields["person.delegation"].choice_label("TN-11-01", "ar") == "قرطاج"


@pytest.mark.parametrize(
    ("said", "code", "key"),
    [
        ('type = "texte"', "dictionary.type", "type"),
        ('type = "text"\nclass = "Z"', "dictionary.class", "class"),
        ('type = "text"\nalso = ["C"]', "dictionary.class", "also"),
        ('type = "text"\nvalidity = "12 mois"', "dictionary.duration", "validity"),
        ('type = "text"\nvalidity = "P"', "dictionary.duration", "validity"),
        ('type = "enum"\nchoices = "inconnue"', "dictionary.choices", "choices"),
        ('type = "text"\nchoices = "sexe"', "dictionary.unfit", "choices"),
        ('type = "text"\nmin = 3', "dictionary.unfit", "min"),
        ('type = "int"\nmin = "3"', "dictionary.bound", "min"),
        ('type = "text"\nmax_length = 0', "dictionary.bound", "max_length"),
        ('type = "doc"\npiece = "PJ99"', "dictionary.piece", "piece"),
        ('type = "text"\npattern = "(["', "dictionary.pattern", "pattern"),
        ('type = "date"\nmin_on = "demain"', "dictionary.day", "min_on"),
        ('type = "date"\nmin_on = "1 +"', "definition.feel", "min_on"),
        ('type = "int"\ncomputed = "x.b + 1"', "definition.reads_unknown", "computed"),
        ('type = "int"\ncomputed = "x.a + 1"', "dictionary.circle", "computed"),
        ('type = "int"\ncomputed = "person.age + 1"', "dictionary.computed_subject", "computed"),
        ('type = "int"\ncomputed = "1 +"', "definition.feel", "computed"),
        ('type = "text"\noffered = "antennes.code"', "dictionary.unfit", "offered"),
        ('type = "enum"\nchoices = "sexe"\noffered = "x.b"', "definition.reads_unknown", "offered"),
        ('type = "enum"\nchoices = "sexe"\noffered = "["', "definition.feel", "offered"),
        ('type = "text"\nproposed = "x.b"', "definition.reads_unknown", "proposed"),
        ('type = "text"\nproposed = "["', "definition.feel", "proposed"),
        ('type = "doc"\nproposed = "null"', "dictionary.unfit", "proposed"),
        ('type = "int"\ncomputed = "1"\nproposed = "1"', "dictionary.unfit", "proposed"),
        ('type = "list"\nitems = ["membre.prenom"]\nproposed = "x.b"', "dictionary.unfit", "proposed"),
        ('type = "list"', "definition.missing", "items"),
        ('type = "list"\nitems = ["membre.rien"]', "dictionary.item", "items"),
        ('type = "list"\nitems = ["membre.prenom", "person.nom"]', "dictionary.item", "items"),
        ('type = "list"\nitems = ["foyer.membres"]', "dictionary.item", "items"),
        ('type = "text"\nobligatoire = true', "definition.unknown_key", "obligatoire"),
        ('type = "text"\nhelp = "aide"', "definition.label", "help"),
    ],
)
def test_a_wrong_field_is_refused_at_its_key(said, code, key):
    wheres = {where for found, where in field(said) if found == code}
    assert wheres & {f"x.toml#x.a.{key}", f"x.a.{key}"}


def test_a_group_is_one_and_its_fields_carry_its_name():
    assert ("dictionary.id", "x.toml#y.a") in refused(x_toml=group("x", "case", a='type = "text"').replace(b'fields."x.', b'fields."y.'))
    assert ("dictionary.twice", "zz.toml#group.id") in refused(zz_toml=group("person", "person", a='type = "text"'))
    assert ("dictionary.subject", "x.toml#group.subject") in refused(x_toml=group("x", "dossier"))


def test_files_that_cannot_be_read_and_choices_that_are_twice_are_refused():
    assert ("definition.unreadable_at", "x.toml") in refused(x_toml=b"= 3")
    assert ("definition.too_large", "x.toml") in refused(x_toml=b"#" * 1_000_001)
    assert ("definition.too_deep", "x.toml") in refused(x_toml=b"a = " + b"[" * 100_000)
    assert ("definition.unreadable", "x.toml") in refused(x_toml=b"a = " + b"9" * 5_000)
    assert ("dictionary.code", "choices.toml#lists.sexe[1].code") in refused(choices_toml=CHOICES.replace('"M"', '"F"').encode())
    assert ("definition.label", "purposes.toml#purposes.accueil.label") in refused(purposes_toml=PURPOSES.replace(b'"Receive"', b'""'))
    assert ("definition.unknown_key", "x.toml#champs") in refused(x_toml=b"[champs]")


def test_everything_wrong_is_said_at_once():
    assert len(field('type = "text"\nclass = "Z"\nvalidity = "x"\nhelp = 3\nrien = 1')) >= 4


HOSTILE = [None, 3, -1, True, "", "x" * 10_000, "\u202e", [], [[]], [{}], {}, {"fr": 3}, {"fr": "a", "ar": "b", "en": "c"}, "today", "1 +", "((((((", "P1Y",
    "person.nom", ["person.nom"], [["a"]]]


def spoiled(chance, table):
    """The table with one value somewhere inside it replaced by a hostile one, or one key gone."""
    made = dict(table)
    key = chance.choice(list(made))
    inner = made[key]
    if isinstance(inner, dict) and inner and chance.random() < 0.8:
        made[key] = spoiled(chance, inner)
    elif isinstance(inner, list) and inner and isinstance(inner[0], dict) and chance.random() < 0.8:
        made[key] = [spoiled(chance, inner[0]), *inner[1:]]
    elif chance.random() < 0.2:
        del made[key]
    else:
        made[key] = chance.choice(HOSTILE)
    return made


def test_two_thousand_spoiled_definitions_are_read_or_refused_and_never_fall(monkeypatch):
    chance = random.Random(20261124)
    tables = {name: tomllib.loads(content.decode()) for name, content in FILES.items()}
    content = f'id = "f01"\n{TITLE}\nshow = ["person.sexe"]\n[[section]]\n{TITLE}\n'
    content += 'ask = ["person.nom", { field = "person.cin", when = "person.nom = null", required = true }]'
    content += f'\n[[check]]\nholds = "person.cin != null"\nfields = ["person.cin"]\nmessage = {LABEL}'
    tasks = {"f01.toml": tomllib.loads(content)}
    given = {}
    monkeypatch.setattr(toml, "parse", lambda files, findings: given["tables"])
    given["tables"] = tables
    whole, refusals = dictionary.read({}), 0
    for turn in range(2_000):
        try:
            if turn % 2:
                name = chance.choice(list(tables))
                given["tables"] = tables | {name: spoiled(chance, tables[name])}
                dictionary.read({})
            else:
                given["tables"] = {"f01.toml": spoiled(chance, tasks["f01.toml"])}
                form.read({}, whole)
        except FormError as refusal:
            refusals += 1
            assert all(found.message and found.where for found in refusal.findings)
    assert 1_000 < refusals < 2_000
