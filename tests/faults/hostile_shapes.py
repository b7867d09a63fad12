"""Hostile structures, tables and forms: what hangs, doubles, blocks, or says what is not so."""

from collections.abc import Iterator

from tests.engine.pathway import drawing as draw
from tests.faults.hostile_files import DMN, TASK, File, chain, field, form, literal, service, simple, table, user

# --- structures that hang, double, block or lie ---


def structure() -> Iterator[File]:
    def named(name, content):
        return "structure", f"structure_{name}.bpmn", content

    start, end = draw.start(), draw.end()
    yield named("to_itself", simple(start, service("a"), end, draw.flows("start > a > a", "a > end")))
    yield named("gateway_to_itself", simple(start, draw.both("g"), end, draw.flows("start > g > g", "g > end")))
    yield named("two_services", simple(start, service("a"), service("b"), end, draw.flows("start > a > b > a")))
    yield named(
        "conditioned_loop",
        simple(start, service("a"), draw.xor("x", default="x__end"), end, draw.flows("start > a > x", "x > {accueil.accompagne = true} a", "x > end")),
    )
    yield named("no_way_out", simple(start, user("a"), user("b"), draw.flows("start > a > b > a")))
    yield named("calls_itself", simple(start, draw.call("a", "hostile"), end, draw.flows("start > a > end")))
    pair = [draw.process(start, draw.call(f"c{n}", f"p{(n + 1) % 5}"), end, draw.flows(f"start > c{n} > end"), name=f"p{n}") for n in range(5)]
    yield named(
        "call_circle",
        draw.diagram(
            *(
                one.replace('id="start', f'id="start{n}')
                .replace('"start"', f'"start{n}"')
                .replace('id="end"', f'id="end{n}"')
                .replace('"end"', f'"end{n}"')
                .replace("start__", f"start{n}__")
                .replace("__end", f"__end{n}")
                for n, one in enumerate(pair)
            )
        ),
    )
    yield named("call_nobody", simple(start, draw.call("a", "nobody"), end, draw.flows("start > a > end")))
    for count in ("1000000", "1e6", "1001", "9**9**9", "10**30"):
        yield named(f"cardinality_{len(count)}_{count[0]}", chain(user("a", draw.several(count))))
    yield named("cardinality_service", chain(service("a").replace("</bpmn:serviceTask>", draw.several("999999") + "</bpmn:serviceTask>")))
    yield named("loop_maximum", chain(user("a", draw.again_while(most="1000000"))))
    yield named("loop_service", chain(service("a").replace("</bpmn:serviceTask>", draw.again_while("1 = 1") + "</bpmn:serviceTask>")))
    yield named("loop_bare", chain(user("a", draw.again_while())))
    tasks = "".join(user(f"t{n}") for n in range(3))
    yield named(
        "and_of_xor",
        simple(
            start,
            draw.xor("x", default="x__t1"),
            tasks,
            draw.both("j"),
            end,
            draw.flows("start > x", "x > {accueil.accompagne = true} t0", "x > t1", "t0 > j", "t1 > j", "j > t2 > end"),
        ),
    )
    yield named(
        "xor_of_and", simple(start, draw.both("g"), tasks, draw.xor("j"), end, draw.flows("start > g", "g > t0", "g > t1", "t0 > j", "t1 > j", "j > t2 > end"))
    )
    yield named(
        "half_join", simple(start, draw.both("g"), tasks, draw.both("j"), end, draw.flows("start > g", "g > t0 > j", "g > t1 > end", "t2 > j", "j > end"))
    )
    yield named(
        "join_waits_for_itself",
        simple(
            start,
            draw.both("j"),
            user("a"),
            draw.xor("x", default="x__end"),
            end,
            draw.flows("start > j > a > x", "x > {accueil.accompagne = true} j", "x > end"),
        ),
    )
    yield named(
        "default_missing",
        simple(
            start,
            draw.xor("x"),
            tasks,
            end,
            draw.flows("start > x", "x > {accueil.accompagne = true} t0", "x > {accueil.accompagne = false} t1", "t0 > t2", "t1 > t2", "t2 > end"),
        ),
    )
    yield named("bare_way_out", simple(start, draw.xor("x"), tasks, end, draw.flows("start > x", "x > t0", "x > t1", "t0 > t2", "t1 > t2", "t2 > end")))
    yield named(
        "reminder_comes_back",
        simple(
            start,
            user("a"),
            draw.boundary("b", "a", draw.timer("Duration", "P1D"), interrupting=False),
            user("c"),
            end,
            draw.flows("start > a > c > end", "b > c"),
        ),
    )
    yield named(
        "wide_split",
        simple(
            start,
            draw.both("g"),
            *(user(f"w{n}") for n in range(2000)),
            draw.xor("j"),
            user("z"),
            end,
            draw.flows("start > g", *(f"g > w{n} > j" for n in range(2000)), "j > z > end"),
        ),
    )
    yield named(
        "wide_choice",
        simple(
            start,
            draw.some("g"),
            *(user(f"w{n}") for n in range(800)),
            draw.xor("j"),
            user("z"),
            end,
            draw.flows("start > g", *(f"g > {{foyer.a_charge > {n}}} w{n}" for n in range(800)), *(f"w{n} > j" for n in range(800)), "j > z > end"),
        ),
    )
    yield named(
        "long_chain",
        simple(
            start,
            *(user(f"l{n}", extensions='<masar:libelle lang="ar">إ</masar:libelle><masar:libelle lang="en">A</masar:libelle><masar:tache form="essai" role="agent_accueil"/>') for n in range(2500)),
            end,
            draw.flows(" > ".join(["start", *(f"l{n}" for n in range(2500)), "end"])),
        ),
    )
    rungs = [draw.flows(f"g{n} > g{n + 1}").replace(f'"g{n}__g{n + 1}"', f'"g{n}_{side}"') for n in range(300) for side in ("left", "right")]
    yield named(
        "ladder", simple(start, *(draw.both(f"g{n}") if n % 2 else draw.xor(f"g{n}") for n in range(301)), end, *rungs, draw.flows("start > g0", "g300 > end"))
    )
    deep = user("u")
    for n in range(40):
        deep = draw.sub(f"s{n}", draw.start(f"b{n}"), deep, draw.end(f"e{n}"), draw.flows(f"b{n} > {'u' if n == 0 else f's{n - 1}'} > e{n}"))
    yield named("nested", simple(start, deep, end, draw.flows("start > s39 > end")))
    for tag in ("scriptTask", "complexGateway", "adHocSubProcess", "transaction"):
        yield named(f"kind_{tag}", chain(draw.element(tag, "a")))
    yield named("compensation", chain(user("a", isForCompensation="true")))
    yield named("script_inside", chain(user("a").replace("</bpmn:userTask>", "<bpmn:script>import os</bpmn:script></bpmn:userTask>")))
    for name, text in {
        "id_long": "a" * 400,
        "id_huge": "a" * 200_000,
        "id_path": "../../etc/passwd",
        "id_space": "a b",
        "id_html": "&lt;script&gt;",
        "id_digit": "1a",
        "id_empty": "",
    }.items():
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
    for number, text in enumerate(("P-1D", "P9999999999D", "R/PT0S", "R0/P1D", "2026-13-45", "R/PT1S", "P", "")):
        yield named(
            f"timer_{number}", chain(draw.catch("a", draw.timer("Cycle" if text.startswith("R") else "Duration" if text.startswith("P") else "Date", text)))
        )
    for extension in ("pouvoir", "script", "execute"):
        yield named(f"extension_{extension}", chain(user("a", extensions=TASK + f"<masar:{extension}/>")))
    yield named("attribute", chain(user("a", extensions=TASK.replace("/>", ' commande="id"/>'))))
    yield named("role", chain(user("a", extensions=TASK.replace("agent_accueil", "root"))))
    yield named("form", chain(user("a", extensions=TASK.replace("essai", "../../../etc/passwd"))))
    for operation in ("os.system", "supprimer_tout", "", "../retenir", "RETENIR"):
        yield named(f"operation_{operation.replace('/', '_').replace('.', '_')}", chain(service("a", operation)))
    yield named("decision", chain(draw.element("businessRuleTask", "a", "", '<masar:decision ref="NADA" resultat="x"/>')))
    yield named("language", chain(user("a")).replace(b"<bpmn:process", b'<bpmn:process language="python"', 1))
    yield named(
        "expression_language",
        simple(
            start,
            draw.xor("x", default="x__b"),
            user("a"),
            user("b"),
            end,
            draw.flows("start > x", "x > {accueil.accompagne = true} a", "x > b", "a > end", "b > end"),
        ).replace(b"<bpmn:conditionExpression>", b'<bpmn:conditionExpression language="javascript">'),
    )
    yield named(
        "two_processes_one_id",
        draw.diagram(*(draw.process(draw.start(f"s{n}"), user(f"u{n}"), draw.end(f"e{n}"), draw.flows(f"s{n} > u{n} > e{n}"), name="twin") for n in range(2))),
    )


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
    yield named(
        "itself", table(head="").replace(b"<decisionTable", b'<informationRequirement><requiredDecision href="#H1"/></informationRequirement><decisionTable')
    )
    yield named("no_logic", f'<definitions xmlns="{DMN}" id="d" name="d" namespace="n"><decision id="H1" name="x"/></definitions>'.encode())
    yield named("context", f'<definitions xmlns="{DMN}" id="d" name="d" namespace="n"><decision id="H1" name="x"><context/></decision></definitions>'.encode())
    yield named("no_output", table().replace(b'<output id="o" name="y"/>', b""))
    yield named("external", literal('function(a) external { java: { class: "java.lang.Math", method signature: "cos(double)" } }'))
    yield named("taken_id", table().replace(b'id="H1"', b'id="D1"'))


def unbounded() -> Iterator[File]:
    """What is small on disk and long to read, and what would be passed over unread."""
    fine = chain(user("a"))
    many = b" ".join(b'a%d="x"' % number for number in range(60_000))
    yield "structure attributes", "attributes_many.bpmn", fine.replace(b"<bpmn:process", b"<bpmn:process " + many, 1)
    yield "structure columns", "columns_many.dmn", table(inputs=("accueil.accompagne",) * 3000, rules=(("true",) * 3000 + ('"a"',),) * 2)
    yield "structure key", "key_of_parts.toml", b"a" + b".a" * 20_000 + b" = 1\n"
    yield "structure key", "key_quoted.toml", b'["a"' + b' . "a"' * 20_000 + b"]\n"
    yield "structure deep", "arrays_deep.toml", b"x = " + b"[" * 10_000 + b"]" * 10_000
    yield "structure capitals", "capitals.BPMN", fine.replace(b"form=\"essai\"", b"form=\"absent\"")


def forms() -> Iterator[File]:
    def named(name, content):
        return (
            "form or dictionary",
            f"form_{name}.toml",
            content if name.startswith("field") else content.replace(b'id = "hostile"', f'id = "form_{name}"'.encode()),
        )

    for name, raw in {
        "not_toml": b"<a/>",
        "half": b"id = ",
        "latin": 'id = "é"'.encode("latin-1"),
        "nul": b"\0\0",
        "deep": b"a = " + b"[" * 3000 + b"]" * 3000,
        "dotted": b".".join([b"a"] * 3000) + b" = 1",
        "huge_number": b"a = " + b"9" * 5000,
        "twice": b'id = "a"\nid = "b"',
        "megabyte": b'id = "' + b"x" * 1_100_000 + b'"',
        "array": b"a = [" + b"1," * 200_000 + b"]",
        "empty": b"",
        "shape": b"id = 3\ntitle = 4",
        "list_title": b'id = "x"\ntitle = ["a"]',
        "date": b"id = 1979-05-27\ntitle = 1979-05-27",
        "inf": b"id = inf\ntitle = nan",
    }.items():
        yield named(name, raw)
    yield named("wrong_id", form(name="autre"))
    yield named("unknown_field", form('"person.nada"'))
    yield named("computed_asked", form('"person.age"'))
    yield named("twice_asked", form('"person.tel", "person.tel"'))
    yield named("path", form('"../../etc/passwd"'))
    yield named("key", form(more='execute = "id"\n'))
    yield named("nothing", form(""))
    yield named("later", form('{ field = "person.tel", when = \'person.adresse != null\' }, "person.adresse"'))
    yield named("title", form().replace(b'ar = "\xd8\xaa', b'br = "\xd8\xaa', 1))
    for name, changes in {
        "no_purpose": {"purpose": None},
        "no_retention": {"retention": None},
        "purpose": {"purpose": '"vendre"'},
        "retention": {"retention": '"toujours"'},
        "class": {"class": '"Z"'},
        "owner": {"owner": '"NSA"'},
        "type": {"type": '"code"'},
        "pattern": {"pattern": '"(unclosed"'},
        "look_behind": {"pattern": r"'(?<=a)b\1'"},
        "validity": {"validity": '"bientôt"'},
        "choices": {"type": '"enum"', "choices": '"nada"'},
        "also": {"also": '["Z"]'},
        "bound": {"type": '"int"', "min": '"a"'},
        "circle": {"computed": "'hostile.un + 1'"},
        "key": {"execute": '"id"'},
        "label": {"label": '{ fr = "a" }'},
        "max_items": {"type": '"list"', "items": '["hostile.un"]', "max_items": "-1"},
    }.items():
        yield named(f"field_{name}", field(**changes))
    yield named("field_id", field().replace(b"hostile.un", b"Hostile.__proto__"))
    yield named("field_group", field().replace(b'id = "hostile"', b'id = "person"'))
