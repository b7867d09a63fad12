"""Files that mean harm, more than five hundred of them, made from a seed: XML tricks, code wherever an expression may stand, structures that would hang or
double, labels that read otherwise than they are, tables and forms that lie. Each is (class, name, content); each must be refused with a sentence.
"""

import random
from collections.abc import Iterator

from tests.engine.pathway import drawing as draw
from tests.faults import hostile_shapes
from tests.faults.hostile_files import File, chain, field, form, literal, service, simple, table, user

SEED = 20261126

# What somebody would type who believes that an expression is code: Python, JavaScript, Java, shells and templates. None of it may run, nor be let in silently.
PAYLOADS = (
    '__import__("os").system("touch /tmp/masar-pwned")',
    'eval("1+1")',
    'exec("import os")',
    'open("/etc/passwd").read()',
    "().__class__.__base__.__subclasses__()",
    'getattr(os, "system")("id")',
    'compile("1", "x", "eval")',
    'os.system("id")',
    'subprocess.run("id")',
    'importlib.import_module("os").system("id")',
    "(lambda: 0)()",
    "[x for x in ().__class__.__mro__]",
    "${7*7}",
    "{{7*7}}",
    "<%= 7*7 %>",
    'process.mainModule.require("child_process").exec("id")',
    'java.lang.Runtime.getRuntime().exec("id")',
    'function(x) external {java: {class: "java.lang.Runtime", method signature: "exec(java.lang.String)"}}',
    "`id`",
    "$(touch /tmp/masar-pwned)",
    "1; DROP TABLE instance",
    'socket.create_connection("127.0.0.1")',
)
# --- code wherever an expression may stand ---


def _loop(inner):
    return chain(user("a", inner))


PLACES = {
    "flow": lambda code: (
        simple(
            draw.start(),
            draw.xor("x", default="x__b"),
            user("a"),
            user("b"),
            draw.end(),
            draw.flows("start > x", f"x > {{{code}}} a", "x > b", "a > end", "b > end"),
        )
        if "}" not in code and " > " not in code
        else _flow_by_hand(code)
    ),
    "loop_condition": lambda code: _loop(draw.again_while(code, "3")),
    "cardinality": lambda code: _loop(draw.several(code)),
    "completion": lambda code: _loop(draw.several("2", until=code)),
    "collection": lambda code: _loop(draw.several(code, "mesure")),
    "timer_duration": lambda code: chain(draw.catch("a", draw.timer("Duration", code))),
    "timer_date": lambda code: chain(draw.catch("a", draw.timer("Date", code))),
    "timer_cycle": lambda code: chain(
        user("a"), draw.boundary("b", "a", draw.timer("Cycle", code), interrupting=False), draw.end("fin"), flows="start > a > end"
    ).replace(b"</bpmn:process>", draw.flows("b > fin").encode() + b"</bpmn:process>"),
    "conditional_event": lambda code: chain(user("a"), draw.boundary("b", "a", draw.condition(code)), draw.end("fin")).replace(
        b"</bpmn:process>", draw.flows("b > fin").encode() + b"</bpmn:process>"
    ),
    "operation_parameter": lambda code: chain(service("a", value=code)),
    "message_key": lambda code: chain(draw.catch("a", "<bpmn:messageEventDefinition/>", f'<masar:message nom="piece.recue" cle="{draw.escaped(code)}"/>')),
    "message_parameter": lambda code: chain(
        draw.throw(
            "a",
            "<bpmn:messageEventDefinition/>",
            f'<masar:message nom="m" cle="instance"><masar:parametre nom="p" valeur="{draw.escaped(code)}"/></masar:message>',
        )
    ),
    "call_input": lambda code: draw.diagram(
        draw.process(
            draw.start(),
            draw.call("a", "inner", f'<masar:entree nom="x" valeur="{draw.escaped(code)}"/>'),
            draw.end(),
            draw.flows("start > a > end"),
            name="hostile",
        ),
        draw.process(draw.start("s"), user("u"), draw.end("e"), draw.flows("s > u > e"), name="inner"),
    ),
    "call_output": lambda code: draw.diagram(
        draw.process(
            draw.start(),
            draw.call("a", "inner", f'<masar:sortie nom="x" valeur="{draw.escaped(code)}"/>'),
            draw.end(),
            draw.flows("start > a > end"),
            name="hostile",
        ),
        draw.process(draw.start("s"), user("u"), draw.end("e"), draw.flows("s > u > e"), name="inner"),
    ),
    "script": lambda code: chain(draw.element("scriptTask", "a", f"<bpmn:script>{draw.escaped(code)}</bpmn:script>", scriptFormat="python")),
    "table_input": lambda code: table(inputs=(code,)),
    "table_cell": lambda code: table(rules=((code, '"a"'), ("-", '"b"'))),
    "table_result": lambda code: table(rules=(("true", code), ("-", '"b"'))),
    "literal": literal,
    "form_when": lambda code: form(f"{{ field = \"person.tel\", when = '''{code}''' }}"),
    "form_check": lambda code: form(more=f'[[check]]\nholds = \'\'\'{code}\'\'\'\nfields = ["person.tel"]\nmessage = {{ fr = "a", ar = "ب", en = "a" }}\n'),
    "computed": lambda code: field(computed=f"'''{code}'''"),
    "min_on": lambda code: field(type='"date"', min_on=f"'''{code}'''"),
}
_KIND = {"table": ".dmn", "literal": ".dmn", "form": ".toml", "computed": ".toml", "min": ".toml"}


def _flow_by_hand(code):
    made = simple(
        draw.start(), draw.xor("x", default="x__b"), user("a"), user("b"), draw.end(), draw.flows("start > x", "x > {CODE} a", "x > b", "a > end", "b > end")
    )
    return made.replace(b"CODE", draw.escaped(code).encode())


def kind_of(place):
    """The kind of file that has such a place."""
    return _KIND.get(place.partition("_")[0], ".bpmn")


def code() -> Iterator[File]:
    for place, make in PLACES.items():
        for number, payload in enumerate(PAYLOADS):
            yield f"code in {place}", f"code_{place}_{number}{kind_of(place)}", make(payload)


# --- XML that reaches out, swells or is none ---


def xml() -> Iterator[File]:
    body = draw.process(draw.start(), user("a"), draw.end(), draw.flows("start > a > end"), name="hostile")
    whole = draw.diagram(body).decode()
    named = whole.replace('name="a"', 'name="&e;"', 1)
    entities = {
        "file": '<!ENTITY e SYSTEM "file:///etc/passwd">',
        "http": '<!ENTITY e SYSTEM "http://127.0.0.1:9/x">',
        "ftp": '<!ENTITY e SYSTEM "ftp://127.0.0.1:9/x">',
        "php": '<!ENTITY e SYSTEM "php://filter/resource=x">',
        "public": '<!ENTITY e PUBLIC "-//x" "http://127.0.0.1:9/x">',
        "plain": '<!ENTITY e "bonjour">',
        "parameter": '<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p; <!ENTITY e "x">',
        "nested": '<!ENTITY a "&#60;b/&#62;"><!ENTITY e "&a;&a;">',
        "laughs": '<!ENTITY l0 "ha">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12)) + '<!ENTITY e "&l11;">',
        "quadratic": f'<!ENTITY q "{"x" * 50_000}"><!ENTITY e "{"&q;" * 5_000}">',
        "circle": '<!ENTITY a "&e;"><!ENTITY e "&a;">',
        "empty": "",
    }
    for suffix in (".bpmn", ".dmn"):
        text = named if suffix == ".bpmn" else table().decode().replace('name="Hostile"', 'name="&e;"')
        for name, entity in entities.items():
            yield "XML entity", f"entity_{name}{suffix}", f"<?xml version='1.0'?><!DOCTYPE x [{entity}]>{text}".encode()
        yield "XML doctype", f"doctype_system{suffix}", f"<!DOCTYPE definitions SYSTEM 'http://127.0.0.1:9/bpmn.dtd'>{text.replace('&e;', 'e')}".encode()
        yield "XML doctype", f"doctype_public{suffix}", f"<!DOCTYPE definitions PUBLIC '-//x' 'file:///etc/passwd'>{text.replace('&e;', 'e')}".encode()
        yield "XML undeclared entity", f"undeclared{suffix}", text.encode()
        fine = text.replace("&e;", "e")
        for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp037", "shift_jis", "cp1256", "iso2022_jp", "hz"):
            yield "encoding", f"encoding_{encoding}{suffix}", f"<?xml version='1.0' encoding='{encoding}'?>{fine}".encode(encoding, "xmlcharrefreplace")
        yield (
            "encoding",
            f"encoding_lied{suffix}",
            f"<?xml version='1.0' encoding='utf-8'?>{fine.replace('name=', 'title=' + chr(34) + 'é' + chr(34) + ' name=', 1)}".encode("latin-1", "xmlcharrefreplace"),
        )
        for name, raw in {
            "empty": b"",
            "nul": b"\0" * 100,
            "spaces": b" \n" * 100,
            "garbage": bytes(random.Random(SEED).randbytes(2000)),
            "zip": b"PK\x03\x04" + b"\0" * 200,
            "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3",
            "gif": b"GIF89a" + b"\0" * 50,
            "cut": fine[: len(fine) // 2].encode(),
            "tail": fine.encode() + b"<x/>",
            "two_roots": fine.encode() * 2,
            "html": b"<html><script>alert(1)</script></html>",
            "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>",
            "json": b'{"definitions": {}}',
            "toml": b'id = "x"',
            "deep": b"<a>" * 5000 + b"</a>" * 5000,
            "no_namespace": b"<definitions/>",
            "other_namespace": fine.replace("20100524", "20990101").replace("20191111", "x").replace("/DMN/", "/XXX/").encode(),
            "control": fine.replace('name="', 'name="&#1;', 1).encode(),
            "huge": b"<!-- " + b"x" * 1_100_000 + b" -->" + fine.encode(),
            "attribute": fine.replace('name="', 'name="' + "x" * 1_100_000, 1).encode(),
            "many": fine.replace("</", "<x/>" * 60_000 + "</", 1).encode(),
            "xinclude": fine.replace("</", '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/></', 1).encode(),
        }.items():
            yield "not a diagram or a table", f"raw_{name}{suffix}", raw
    for name, place in {"file": "file:///etc/passwd", "http": "http://127.0.0.1:9/x", "share": r"\\127.0.0.1\x", "up": "../../etc/passwd", "root": "/etc/passwd", "net": "//127.0.0.1/x"}.items():
        told = '<import name="x" namespace="x" importType="x" {}="{}"/>'
        yield "XML import", f"import_{name}.dmn", table().replace(b"<decision ", told.format("locationURI", place).encode() + b"<decision ", 1)
        yield "XML import", f"import_{name}.bpmn", whole.replace("<bpmn:process", f"<bpmn:{told.format('location', place)[1:]}<bpmn:process", 1).encode()
    yield "the other kind", "table.bpmn", table()
    yield "the other kind", "diagram.dmn", whole.encode()


# --- expressions that swell ---


def bombs() -> Iterator[File]:
    texts = {
        "power": "9**9**9**9 > 1",
        "power_deep": "**".join(["9"] * 300) + " > 1",
        "parentheses": "(" * 500 + "1" + ")" * 500 + " = 1",
        "brackets": "[" * 2000 + "]" * 2000 + " = null",
        "minus": "-" * 5000 + "1 = 1",
        "not": "not(" * 400 + "true" + ")" * 400,
        "long": " and ".join(["person.tel = null"] * 2000),
        "if": "if true then " * 300 + "1" + " else 0" * 300,
        "for": "count(for a in 1..1000, b in 1..1000, c in 1..1000 return a * b * c) < 0",
        "for_huge": "count(for a in 1..10**12 return a) < 0",
        "some": "some a in 1..100000, b in 1..100000 satisfies a = -b",
        "string": 'string length(replace("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "(a+)+$", "b")) < 0',
        "join": '(for a in 1..9000 return "xxxxxxxxxx")[1] = "y"',
        "recursion": "(function(f) f(f))(function(f) f(f)) = 1",
        "context": "{" + ", ".join(f"a{n}: {n}" for n in range(3000)) + "} = null",
        "path": ".".join(["person"] * 3000) + " = 1",
        "filter": "[1, 2, 3]" + "[item > 0]" * 600 + " = null",
    }
    for name, text in texts.items():
        yield "expression bomb", f"bomb_flow_{name}.bpmn", _flow_by_hand(text)
        yield "expression bomb", f"bomb_cell_{name}.dmn", table(inputs=(text,), rules=(("true", '"a"'),), policy="UNIQUE")
    swells = "for a in 1..1000, b in 1..1000 return a"
    allowed = f'<output id="o" name="y"><outputValues><text>{swells}</text></outputValues></output>'
    yield "expression bomb", "bomb_allowed.dmn", table().replace(b'<output id="o" name="y"/>', allowed.encode())
    yield "expression bomb", "bomb_min_on.toml", field(type='"date"', min_on=f'"({swells})[1]"')
    yield "expression bomb", "bomb_rows.dmn", table(rules=[(f"{n}", f'"{n}"') for n in range(4000)], type_="number")
    yield (
        "expression bomb",
        "bomb_columns.dmn",
        table(inputs=[f"n{n}" for n in range(12)], rules=[("-",) * n + ("true",) + ("-",) * (11 - n) + ('"a"',) for n in range(12)], policy="UNIQUE"),
    )


# --- labels that read otherwise than they are ---


def labels() -> Iterator[File]:
    letters = [chr(one) for one in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x7F, 0xFEFF)]
    for letter in letters:
        code_point = f"{ord(letter):04x}"
        named = chain(user("a")).decode()
        yield "label", f"label_name_{code_point}.bpmn", named.replace('name="a"', f'name="Payer {letter}reyaP"').encode()
        yield "label", f"label_reference_{code_point}.bpmn", named.replace('name="a"', f'name="Payer &#x{code_point};x"').encode()
        yield (
            "label",
            f"label_libelle_{code_point}.bpmn",
            named.replace("<masar:tache", f'<masar:libelle lang="ar">دفع{letter}</masar:libelle><masar:tache').encode(),
        )
        yield "label", f"label_table_{code_point}.dmn", table().decode().replace('name="Hostile"', f'name="{letter}Table"').encode()
        yield "label", f"label_form_{code_point}.toml", form().decode().replace("Essai", f"Es{letter}sai").encode()
        yield "label", f"label_form_escaped_{code_point}.toml", form().decode().replace("Essai", f"Es\\u{code_point}sai").encode()
        yield "label", f"label_field_{code_point}.toml", field().decode().replace("Trial", f"Tri{letter}al").encode()
    yield "label", "label_long.bpmn", chain(user("a")).replace(b'name="a"', b'name="' + b"long " * 100 + b'"')
    yield "label", "label_huge.bpmn", chain(user("a")).replace(b'name="a"', b'name="' + b"x" * 900_000 + b'"')
    yield "label", "label_none.bpmn", chain(user("a")).replace(b' name="a"', b"")


def corpus() -> list[File]:
    """All of them, each name once."""
    files = [*code(), *xml(), *hostile_shapes.structure(), *bombs(), *labels(), *hostile_shapes.tables(), *hostile_shapes.forms(), *hostile_shapes.unbounded()]
    assert len({name for _, name, _ in files}) == len(files)
    return files
