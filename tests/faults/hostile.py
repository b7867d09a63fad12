"""Files that mean harm, more than five hundred of them, made from a seed: XML tricks, code wherever an expression may stand, structures that would hang or
double, labels that read otherwise than they are, tables and forms that lie. Each is (class, name, content); each must be refused with a sentence.
"""

import random
from collections.abc import Iterator

from tests.engine.pathway import drawing as draw

SEED = 20261126
File = tuple[str, str, bytes]

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
    '$(touch /tmp/masar-pwned)',
    "1; DROP TABLE instance",
    'socket.create_connection("127.0.0.1")',
)  # fmt: skip
TASK = '<masar:tache form="f11" role="agent_accueil" delai="2" unite="jours"/>'
DMN = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def user(name, inner="", extensions=TASK, **attributes):
    return draw.user(name, inner, extensions, **attributes)


def service(name, operation="retenir", value="1"):
    return draw.element("serviceTask", name, "", f'<masar:operation nom="{operation}"><masar:parametre nom="x" valeur="{draw.escaped(value)}"/></masar:operation>')


def simple(*inner, name="hostile"):
    return draw.diagram(draw.process(*inner, name=name))


def chain(*inner, flows="start > a > end"):
    return simple(draw.start(), *inner, draw.end(), draw.flows(flows))


def table(inputs=("accueil.accompagne",), rules=(("true", '"a"'), ("not(true)", '"b"')), policy="FIRST", head="", type_="boolean"):
    """One decision as DMN."""
    columns = "".join(
        f'<input id="i{n}"><inputExpression id="e{n}" typeRef="{type_}"><text>{draw.escaped(text)}</text></inputExpression></input>' for n, text in enumerate(inputs)
    )
    rows = "".join(
        f'<rule id="r{n}">{"".join(f"<inputEntry><text>{draw.escaped(one)}</text></inputEntry>" for one in cells)}'
        f"<outputEntry><text>{draw.escaped(result)}</text></outputEntry></rule>"
        for n, (*cells, result) in enumerate(rules)
    )
    decision = f'<decision id="H1" name="Hostile"><decisionTable hitPolicy="{policy}">{columns}<output id="o" name="y"/>{rows}</decisionTable></decision>'
    return f'{head}<definitions xmlns="{DMN}" id="d" name="d" namespace="n">{decision}</definitions>'.encode()


def literal(text):
    decision = f'<decision id="H1" name="Hostile"><literalExpression><text>{draw.escaped(text)}</text></literalExpression></decision>'
    return f'<definitions xmlns="{DMN}" id="d" name="d" namespace="n">{decision}</definitions>'.encode()


def form(asked='"person.tel"', more="", name="hostile"):
    label = '{ fr = "Essai", ar = "تجربة", en = "Trial" }'
    return f'id = "{name}"\ntitle = {label}\n[[section]]\ntitle = {label}\nask = [{asked}]\n{more}'.encode()


def field(**changes):
    """A page of the dictionary with one field."""
    label = '{ fr = "Essai", ar = "تجربة", en = "Trial" }'
    keys = {"type": '"text"', "label": label, "class": '"C"', "owner": '"OTE"', "purpose": '"identification"', "retention": '"P5Y"', "inferred": "true"} | changes
    written = "\n".join(f"{key} = {value}" for key, value in keys.items() if value is not None)
    return f'[group]\nid = "hostile"\nsubject = "case"\nlabel = {label}\n[fields."hostile.un"]\n{written}\n'.encode()


# --- code wherever an expression may stand ---

def _loop(inner):
    return chain(user("a", inner))


PLACES = {
    "flow": lambda code: simple(draw.start(), draw.xor("x", default="x__b"), user("a"), user("b"), draw.end(), draw.flows("start > x", f"x > {{{code}}} a", "x > b", "a > end", "b > end"))
    if "}" not in code and " > " not in code
    else _flow_by_hand(code),
    "loop_condition": lambda code: _loop(draw.again_while(code, "3")),
    "cardinality": lambda code: _loop(draw.several(code)),
    "completion": lambda code: _loop(draw.several("2", until=code)),
    "collection": lambda code: _loop(draw.several(code, "mesure")),
    "timer_duration": lambda code: chain(draw.catch("a", draw.timer("Duration", code))),
    "timer_date": lambda code: chain(draw.catch("a", draw.timer("Date", code))),
    "timer_cycle": lambda code: chain(user("a"), draw.boundary("b", "a", draw.timer("Cycle", code), interrupting=False), draw.end("fin"), flows="start > a > end")
    .replace(b"</bpmn:process>", draw.flows("b > fin").encode() + b"</bpmn:process>"),
    "conditional_event": lambda code: chain(user("a"), draw.boundary("b", "a", draw.condition(code)), draw.end("fin")).replace(
        b"</bpmn:process>", draw.flows("b > fin").encode() + b"</bpmn:process>"),
    "operation_parameter": lambda code: chain(service("a", value=code)),
    "message_key": lambda code: chain(draw.catch("a", "<bpmn:messageEventDefinition/>", f'<masar:message nom="piece.recue" cle="{draw.escaped(code)}"/>')),
    "message_parameter": lambda code: chain(draw.throw("a", "<bpmn:messageEventDefinition/>",
        f'<masar:message nom="m" cle="instance"><masar:parametre nom="p" valeur="{draw.escaped(code)}"/></masar:message>')),
    "call_input": lambda code: draw.diagram(draw.process(draw.start(), draw.call("a", "inner", f'<masar:entree nom="x" valeur="{draw.escaped(code)}"/>'), draw.end(),
        draw.flows("start > a > end"), name="hostile"), draw.process(draw.start("s"), user("u"), draw.end("e"), draw.flows("s > u > e"), name="inner")),
    "call_output": lambda code: draw.diagram(draw.process(draw.start(), draw.call("a", "inner", f'<masar:sortie nom="x" valeur="{draw.escaped(code)}"/>'), draw.end(),
        draw.flows("start > a > end"), name="hostile"), draw.process(draw.start("s"), user("u"), draw.end("e"), draw.flows("s > u > e"), name="inner")),
    "script": lambda code: chain(draw.element("scriptTask", "a", f"<bpmn:script>{draw.escaped(code)}</bpmn:script>", scriptFormat="python")),
    "table_input": lambda code: table(inputs=(code,)),
    "table_cell": lambda code: table(rules=((code, '"a"'), ("-", '"b"'))),
    "table_result": lambda code: table(rules=(("true", code), ("-", '"b"'))),
    "literal": literal,
    "form_when": lambda code: form(f"{{ field = \"person.tel\", when = '''{code}''' }}"),
    "form_check": lambda code: form(more=f"[[check]]\nholds = '''{code}'''\nfields = [\"person.tel\"]\nmessage = {{ fr = \"a\", ar = \"ب\", en = \"a\" }}\n"),
    "computed": lambda code: field(computed=f"'''{code}'''"),
    "min_on": lambda code: field(type='"date"', min_on=f"'''{code}'''"),
}  # fmt: skip
_KIND = {"table": ".dmn", "literal": ".dmn", "form": ".toml", "computed": ".toml", "min": ".toml"}


def _flow_by_hand(code):
    made = simple(draw.start(), draw.xor("x", default="x__b"), user("a"), user("b"), draw.end(), draw.flows("start > x", "x > {CODE} a", "x > b", "a > end", "b > end"))
    return made.replace(b"CODE", draw.escaped(code).encode())


def code() -> Iterator[File]:
    for place, make in PLACES.items():
        for number, payload in enumerate(PAYLOADS):
            yield f"code in {place}", f"code_{place}_{number}{_KIND.get(place.partition('_')[0], '.bpmn')}", make(payload)


# --- XML that reaches out, swells or is none ---

def xml() -> Iterator[File]:
    body = draw.process(draw.start(), user("a"), draw.end(), draw.flows("start > a > end"), name="hostile")
    whole = draw.diagram(body).decode()
    named = whole.replace('name="a"', 'name="&e;"', 1)
    entities = {
        "file": '<!ENTITY e SYSTEM "file:///etc/passwd">', "http": '<!ENTITY e SYSTEM "http://127.0.0.1:9/x">', "ftp": '<!ENTITY e SYSTEM "ftp://127.0.0.1:9/x">',
        "php": '<!ENTITY e SYSTEM "php://filter/resource=x">', "public": '<!ENTITY e PUBLIC "-//x" "http://127.0.0.1:9/x">', "plain": '<!ENTITY e "bonjour">',
        "parameter": '<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p; <!ENTITY e "x">', "nested": '<!ENTITY a "&#60;b/&#62;"><!ENTITY e "&a;&a;">',
        "laughs": '<!ENTITY l0 "ha">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12)) + '<!ENTITY e "&l11;">',
        "quadratic": f'<!ENTITY q "{"x" * 50_000}"><!ENTITY e "{"&q;" * 5_000}">', "circle": '<!ENTITY a "&e;"><!ENTITY e "&a;">', "empty": "",
    }  # fmt: skip
    for suffix in (".bpmn", ".dmn"):
        text = named if suffix == ".bpmn" else table().decode().replace('name="Hostile"', 'name="&e;"')
        for name, entity in entities.items():
            yield "XML entity", f"entity_{name}{suffix}", f"<?xml version='1.0'?><!DOCTYPE x [{entity}]>{text}".encode()
        yield "XML doctype", f"doctype_system{suffix}", f"<!DOCTYPE definitions SYSTEM 'http://127.0.0.1:9/bpmn.dtd'>{text.replace('&e;', 'e')}".encode()
        yield "XML doctype", f"doctype_public{suffix}", f"<!DOCTYPE definitions PUBLIC '-//x' 'file:///etc/passwd'>{text.replace('&e;', 'e')}".encode()
        yield "XML undeclared entity", f"undeclared{suffix}", text.encode()
        fine = text.replace("&e;", "e")
        for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp037", "shift_jis", "cp1256", "iso2022_jp", "hz"):
            yield "encoding", f"encoding_{encoding}{suffix}", f"<?xml version='1.0' encoding='{encoding}'?>{fine}".encode(encoding)
        yield "encoding", f"encoding_lied{suffix}", f"<?xml version='1.0' encoding='utf-8'?>{fine.replace('name=', 'title=' + chr(34) + 'é' + chr(34) + ' name=', 1)}".encode("latin-1")
        for name, raw in {
            "empty": b"", "nul": b"\0" * 100, "spaces": b" \n" * 100, "garbage": bytes(random.Random(SEED).randbytes(2000)), "zip": b"PK\x03\x04" + b"\0" * 200,
            "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "gif": b"GIF89a" + b"\0" * 50, "cut": fine[: len(fine) // 2].encode(), "tail": fine.encode() + b"<x/>",
            "two_roots": fine.encode() * 2, "html": b"<html><script>alert(1)</script></html>", "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>",
            "json": b'{"definitions": {}}', "toml": b'id = "x"', "deep": b"<a>" * 5000 + b"</a>" * 5000, "no_namespace": b"<definitions/>",
            "other_namespace": fine.replace("20100524", "20990101").replace("20191111", "x").replace("/DMN/", "/XXX/").encode(),
            "control": fine.replace('name="', 'name="&#1;', 1).encode(), "huge": b"<!-- " + b"x" * 1_100_000 + b" -->" + fine.encode(),
            "attribute": fine.replace('name="', 'name="' + "x" * 1_100_000, 1).encode(), "many": fine.replace("</", "<x/>" * 60_000 + "</", 1).encode(),
            "xinclude": fine.replace("</", '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/></', 1).encode(),
        }.items():  # fmt: skip
            yield "not a diagram or a table", f"raw_{name}{suffix}", raw
    yield "the other kind", "table.bpmn", table()
    yield "the other kind", "diagram.dmn", whole.encode()


# --- structures that hang, double, block or lie ---

def structure() -> Iterator[File]:
    def named(name, content):
        return "structure", f"structure_{name}.bpmn", content

    start, end = draw.start(), draw.end()
    yield named("to_itself", simple(start, service("a"), end, draw.flows("start > a > a", "a > end")))
    yield named("gateway_to_itself", simple(start, draw.both("g"), end, draw.flows("start > g > g", "g > end")))
    yield named("two_services", simple(start, service("a"), service("b"), end, draw.flows("start > a > b > a")))
    yield named("conditioned_loop", simple(start, service("a"), draw.xor("x", default="x__end"), end, draw.flows("start > a > x", "x > {accueil.accompagne = true} a", "x > end")))
    yield named("no_way_out", simple(start, user("a"), user("b"), draw.flows("start > a > b > a")))
    yield named("calls_itself", simple(start, draw.call("a", "hostile"), end, draw.flows("start > a > end")))
    pair = [draw.process(start, draw.call(f"c{n}", f"p{(n + 1) % 5}"), end, draw.flows(f"start > c{n} > end"), name=f"p{n}") for n in range(5)]
    yield named("call_circle", draw.diagram(*(one.replace('id="start', f'id="start{n}').replace('"start"', f'"start{n}"').replace('id="end"', f'id="end{n}"')
                                                .replace('"end"', f'"end{n}"').replace("start__", f"start{n}__").replace("__end", f"__end{n}") for n, one in enumerate(pair))))  # fmt: skip
    yield named("call_nobody", simple(start, draw.call("a", "nobody"), end, draw.flows("start > a > end")))
    for count in ("1000000", "1e6", "1001", "9**9**9", "10**30"):
        yield named(f"cardinality_{len(count)}_{count[0]}", chain(user("a", draw.several(count))))
    yield named("cardinality_service", chain(service("a").replace("</bpmn:serviceTask>", draw.several("999999") + "</bpmn:serviceTask>")))
    yield named("loop_maximum", chain(user("a", draw.again_while(most="1000000"))))
    yield named("loop_service", chain(service("a").replace("</bpmn:serviceTask>", draw.again_while("1 = 1") + "</bpmn:serviceTask>")))
    yield named("loop_bare", chain(user("a", draw.again_while())))
    tasks = "".join(user(f"t{n}") for n in range(3))
    yield named("and_of_xor", simple(start, draw.xor("x", default="x__t1"), tasks, draw.both("j"), end,
                                     draw.flows("start > x", "x > {accueil.accompagne = true} t0", "x > t1", "t0 > j", "t1 > j", "j > t2 > end")))  # fmt: skip
    yield named("xor_of_and", simple(start, draw.both("g"), tasks, draw.xor("j"), end, draw.flows("start > g", "g > t0", "g > t1", "t0 > j", "t1 > j", "j > t2 > end")))
    yield named("half_join", simple(start, draw.both("g"), tasks, draw.both("j"), end, draw.flows("start > g", "g > t0 > j", "g > t1 > end", "t2 > j", "j > end")))
    yield named("join_waits_for_itself", simple(start, draw.both("j"), user("a"), draw.xor("x", default="x__end"), end,
                                                draw.flows("start > j > a > x", "x > {accueil.accompagne = true} j", "x > end")))  # fmt: skip
    yield named("default_missing", simple(start, draw.xor("x"), tasks, end, draw.flows("start > x", "x > {accueil.accompagne = true} t0", "x > {accueil.accompagne = false} t1",
                                                                                       "t0 > t2", "t1 > t2", "t2 > end")))  # fmt: skip
    yield named("bare_way_out", simple(start, draw.xor("x"), tasks, end, draw.flows("start > x", "x > t0", "x > t1", "t0 > t2", "t1 > t2", "t2 > end")))
    yield named("reminder_comes_back", simple(start, user("a"), draw.boundary("b", "a", draw.timer("Duration", "P1D"), interrupting=False), user("c"), end,
                                              draw.flows("start > a > c > end", "b > c")))  # fmt: skip
    yield named("wide_split", simple(start, draw.both("g"), *(user(f"w{n}") for n in range(2000)), draw.xor("j"), user("z"), end,
                                     draw.flows("start > g", *(f"g > w{n} > j" for n in range(2000)), "j > z > end")))  # fmt: skip
    yield named("wide_choice", simple(start, draw.some("g"), *(user(f"w{n}") for n in range(800)), draw.xor("j"), user("z"), end,
                                      draw.flows("start > g", *(f"g > {{foyer.a_charge > {n}}} w{n}" for n in range(800)), *(f"w{n} > j" for n in range(800)), "j > z > end")))  # fmt: skip
    yield named("long_chain", simple(start, *(user(f"l{n}", extensions='<masar:tache form="f11" role="agent_accueil"/>') for n in range(2500)), end,
                                     draw.flows(" > ".join(["start", *(f"l{n}" for n in range(2500)), "end"]))))  # fmt: skip
    rungs = [draw.flows(f"g{n} > g{n + 1}").replace(f'"g{n}__g{n + 1}"', f'"g{n}_{side}"') for n in range(300) for side in ("left", "right")]
    yield named("ladder", simple(start, *(draw.both(f"g{n}") if n % 2 else draw.xor(f"g{n}") for n in range(301)), end, *rungs, draw.flows("start > g0", "g300 > end")))
    deep = user("u")
    for n in range(40):
        deep = draw.sub(f"s{n}", draw.start(f"b{n}"), deep, draw.end(f"e{n}"), draw.flows(f"b{n} > {'u' if n == 0 else f's{n - 1}'} > e{n}"))
    yield named("nested", simple(start, deep, end, draw.flows("start > s39 > end")))
    for tag in ("scriptTask", "complexGateway", "adHocSubProcess", "transaction"):
        yield named(f"kind_{tag}", chain(draw.element(tag, "a")))
    yield named("compensation", chain(user("a", isForCompensation="true")))
    yield named("script_inside", chain(user("a").replace("</bpmn:userTask>", "<bpmn:script>import os</bpmn:script></bpmn:userTask>")))
    for name, text in {"id_long": "a" * 400, "id_huge": "a" * 200_000, "id_path": "../../etc/passwd", "id_space": "a b", "id_html": "&lt;script&gt;", "id_digit": "1a", "id_empty": ""}.items():
        yield named(name, chain(user("a")).replace(b'id="a"', f'id="{text}"'.encode()))
    yield named("id_twice", simple(start, user("a"), user("a"), end, draw.flows("start > a > end")))
    yield named("dangling", chain(user("a"), flows="start > a > nowhere"))
    yield named("from_nowhere", chain(user("a"), flows="start > a").replace(b"</bpmn:process>", draw.flows("nowhere > end").encode() + b"</bpmn:process>"))
    yield named("island", chain(user("a"), user("island")))
    yield named("into_start", chain(user("a"), flows="start > a > start"))
    yield named("out_of_end", chain(user("a"), user("z"), flows="start > a > end > z"))
    yield named("no_start", simple(user("a"), user("b"), draw.flows("a > b > a")))
    yield named("two_starts", simple(start, draw.start("again"), user("a"), end, draw.flows("start > a > end", "again > a")))
    yield named("signal_start", simple(draw.start("start", draw.refers("signal")), user("a"), end, draw.flows("start > a > end")))
    yield named("not_executable", chain(user("a")).replace(b'"true"', b'"false"', 1))
    yield named("boundary_nowhere", chain(user("a"), draw.boundary("b", "nobody", draw.timer("Duration", "P1D"))))
    yield named("link_nowhere", chain(draw.throw("a", '<bpmn:linkEventDefinition name="x"/>'), flows="start > a"))
    for number, text in enumerate(("P-1D", "P9999999999D", "R/PT0S", "R0/P1D", "never", "2026-13-45", "R/PT1S", "P", "")):
        yield named(f"timer_{number}", chain(draw.catch("a", draw.timer("Cycle" if text.startswith("R") else "Duration" if text.startswith("P") else "Date", text))))
    for extension in ("pouvoir", "script", "execute"):
        yield named(f"extension_{extension}", chain(user("a", extensions=TASK + f"<masar:{extension}/>")))
    yield named("attribute", chain(user("a", extensions=TASK.replace("/>", ' commande="id"/>'))))
    yield named("role", chain(user("a", extensions=TASK.replace("agent_accueil", "root"))))
    yield named("form", chain(user("a", extensions=TASK.replace("f11", "../../../etc/passwd"))))
    for operation in ("os.system", "supprimer_tout", "", "../retenir", "RETENIR"):
        yield named(f"operation_{operation.replace('/', '_').replace('.', '_')}", chain(service("a", operation)))
    yield named("decision", chain(draw.element("businessRuleTask", "a", "", '<masar:decision ref="NADA" resultat="x"/>')))
    yield named("language", chain(user("a")).replace(b"<bpmn:process", b'<bpmn:process language="python"', 1))
    yield named("expression_language", simple(start, draw.xor("x", default="x__b"), user("a"), user("b"), end,
                                              draw.flows("start > x", "x > {accueil.accompagne = true} a", "x > b", "a > end", "b > end"))
                .replace(b"<bpmn:conditionExpression>", b'<bpmn:conditionExpression language="javascript">'))  # fmt: skip
    yield named("two_processes_one_id", draw.diagram(*(draw.process(draw.start(f"s{n}"), user(f"u{n}"), draw.end(f"e{n}"), draw.flows(f"s{n} > u{n} > e{n}"), name="twin") for n in range(2))))


# --- expressions that swell ---

def bombs() -> Iterator[File]:
    texts = {
        "power": "9**9**9**9 > 1", "power_deep": "**".join(["9"] * 300) + " > 1", "parentheses": "(" * 500 + "1" + ")" * 500 + " = 1", "brackets": "[" * 2000 + "]" * 2000 + " = null",
        "minus": "-" * 5000 + "1 = 1", "not": "not(" * 400 + "true" + ")" * 400, "long": " and ".join(["person.tel = null"] * 2000), "if": "if true then " * 300 + "1" + " else 0" * 300,
        "for": "count(for a in 1..1000, b in 1..1000, c in 1..1000 return a * b * c) < 0", "for_huge": "count(for a in 1..10**12 return a) < 0",
        "some": "some a in 1..100000, b in 1..100000 satisfies a = -b", "string": 'string length(replace("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "(a+)+$", "b")) < 0',
        "join": '(for a in 1..9000 return "xxxxxxxxxx")[1] = "y"', "recursion": "(function(f) f(f))(function(f) f(f)) = 1", "context": "{" + ", ".join(f"a{n}: {n}" for n in range(3000)) + "} = null",
        "path": ".".join(["person"] * 3000) + " = 1", "filter": "[1, 2, 3]" + "[item > 0]" * 600 + " = null",
    }  # fmt: skip
    for name, text in texts.items():
        yield "expression bomb", f"bomb_flow_{name}.bpmn", _flow_by_hand(text)
        yield "expression bomb", f"bomb_cell_{name}.dmn", table(inputs=(text,), rules=(("true", '"a"'),), policy="UNIQUE")
    yield "expression bomb", "bomb_rows.dmn", table(rules=[(f"{n}", f'"{n}"') for n in range(4000)], type_="number")
    yield "expression bomb", "bomb_columns.dmn", table(inputs=[f"n{n}" for n in range(12)], rules=[("-",) * n + ("true",) + ("-",) * (11 - n) + ('"a"',) for n in range(12)], policy="UNIQUE")


# --- labels that read otherwise than they are ---

def labels() -> Iterator[File]:
    letters = [chr(one) for one in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x7F, 0xFEFF)]
    for letter in letters:
        code_point = f"{ord(letter):04x}"
        named = chain(user("a")).decode()
        yield "label", f"label_name_{code_point}.bpmn", named.replace('name="a"', f'name="Payer {letter}reyaP"').encode()
        yield "label", f"label_reference_{code_point}.bpmn", named.replace('name="a"', f'name="Payer &#x{code_point};x"').encode()
        yield "label", f"label_libelle_{code_point}.bpmn", named.replace("<masar:tache", f'<masar:libelle lang="ar">دفع{letter}</masar:libelle><masar:tache').encode()
        yield "label", f"label_table_{code_point}.dmn", table().decode().replace('name="Hostile"', f'name="{letter}Table"').encode()
        yield "label", f"label_form_{code_point}.toml", form().decode().replace("Essai", f"Es{letter}sai").encode()
        yield "label", f"label_form_escaped_{code_point}.toml", form().decode().replace("Essai", f"Es\\u{code_point}sai").encode()
        yield "label", f"label_field_{code_point}.toml", field().decode().replace("Trial", f"Tri{letter}al").encode()
    yield "label", "label_long.bpmn", chain(user("a")).replace(b'name="a"', b'name="' + b"long " * 100 + b'"')
    yield "label", "label_huge.bpmn", chain(user("a")).replace(b'name="a"', b'name="' + b"x" * 900_000 + b'"')
    yield "label", "label_none.bpmn", chain(user("a")).replace(b' name="a"', b"")


# --- tables and forms that lie ---

def tables() -> Iterator[File]:
    def named(name, content):
        return "table", f"table_{name}.dmn", content

    yield named("policy", table(policy="RANDOM"))
    yield named("overlap", table(rules=(("true", '"a"'), ("true", '"b"'), ("not(true)", '"c"')), policy="UNIQUE"))
    yield named("gap", table(rules=(("true", '"a"'),), policy="UNIQUE"))
    yield named("masked", table(rules=(("-", '"a"'), ("true", '"b"'))))
    yield named("never", table(rules=(('"oui"', '"a"'), ("-", '"b"'))))
    yield named("choice", table(inputs=("aide.niveau",), rules=(('"N9"', '"a"'), ("-", '"b"')), type_="string"))
    yield named("field", table(inputs=("accueil.nada",)))
    yield named("row_short", table(inputs=("accueil.accompagne", "accueil.accompagne"), rules=(("true", '"a"'), ("-", '"b"'))))
    yield named("itself", table(head="").replace(b"<decisionTable", b'<informationRequirement><requiredDecision href="#H1"/></informationRequirement><decisionTable'))
    yield named("no_logic", f'<definitions xmlns="{DMN}" id="d" name="d" namespace="n"><decision id="H1" name="x"/></definitions>'.encode())
    yield named("context", f'<definitions xmlns="{DMN}" id="d" name="d" namespace="n"><decision id="H1" name="x"><context/></decision></definitions>'.encode())
    yield named("no_output", table().replace(b'<output id="o" name="y"/>', b""))
    yield named("external", literal('function(a) external { java: { class: "java.lang.Math", method signature: "cos(double)" } }'))
    yield named("taken_id", table().replace(b'id="H1"', b'id="D1"'))


def forms() -> Iterator[File]:
    def named(name, content):
        return "form or dictionary", f"form_{name}.toml", content if name.startswith("field") else content.replace(b'id = "hostile"', f'id = "form_{name}"'.encode())

    for name, raw in {
        "not_toml": b"<a/>", "half": b"id = ", "latin": 'id = "é"'.encode("latin-1"), "nul": b"\0\0", "deep": b"a = " + b"[" * 3000 + b"]" * 3000, "dotted": b".".join([b"a"] * 3000) + b" = 1",
        "huge_number": b"a = " + b"9" * 5000, "twice": b'id = "a"\nid = "b"', "megabyte": b'id = "' + b"x" * 1_100_000 + b'"', "array": b"a = [" + b"1," * 200_000 + b"]", "empty": b"",
        "shape": b"id = 3\ntitle = 4", "list_title": b'id = "x"\ntitle = ["a"]', "date": b"id = 1979-05-27\ntitle = 1979-05-27", "inf": b"id = inf\ntitle = nan",
    }.items():  # fmt: skip
        yield named(name, raw)
    yield named("wrong_id", form(name="autre"))
    yield named("unknown_field", form('"person.nada"'))
    yield named("computed_asked", form('"person.age"'))
    yield named("twice_asked", form('"person.tel", "person.tel"'))
    yield named("path", form('"../../etc/passwd"'))
    yield named("key", form(more='execute = "id"\n'))
    yield named("nothing", form(""))
    yield named("later", form("{ field = \"person.tel\", when = 'person.adresse != null' }, \"person.adresse\""))
    yield named("title", form().replace(b'ar = "\xd8\xaa', b'br = "\xd8\xaa', 1))
    for name, changes in {
        "no_purpose": {"purpose": None}, "no_retention": {"retention": None}, "purpose": {"purpose": '"vendre"'}, "retention": {"retention": '"toujours"'}, "class": {"class": '"Z"'},
        "owner": {"owner": '"NSA"'}, "type": {"type": '"code"'}, "pattern": {"pattern": '"(unclosed"'}, "look_behind": {"pattern": r"'(?<=a)b\1'"}, "validity": {"validity": '"bientôt"'},
        "choices": {"type": '"enum"', "choices": '"nada"'}, "also": {"also": '["Z"]'}, "bound": {"type": '"int"', "min": '"a"'}, "items": {"type": '"list"', "items": '["person.tel"]'},
        "circle": {"computed": "'hostile.un + 1'"}, "key": {"execute": '"id"'}, "label": {"label": '{ fr = "a" }'}, "max_items": {"type": '"list"', "items": '["hostile.un"]', "max_items": "-1"},
    }.items():  # fmt: skip
        yield named(f"field_{name}", field(**changes))
    yield named("field_id", field().replace(b"hostile.un", b"Hostile.__proto__"))
    yield named("field_group", field().replace(b'id = "hostile"', b'id = "person"'))


def corpus() -> list[File]:
    """All of them, each name once."""
    files = [*code(), *xml(), *structure(), *bombs(), *labels(), *tables(), *forms()]
    assert len({name for _, name, _ in files}) == len(files)
    return files
