"""How the hostile files are written: a diagram, a table, a form, a page of the dictionary, each fine but for what it is given."""

from tests.engine.pathway import drawing as draw

File = tuple[str, str, bytes]  # class, name, content
# Fine but for what each file is given: were it refused for a label or a deadline, nothing would be proved.
TASK = '<masar:libelle lang="ar">إجراء</masar:libelle><masar:libelle lang="en">Act</masar:libelle><masar:tache form="essai" role="agent_accueil" delai="2" unite="jours"/>'
DMN = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def user(name, inner="", extensions=TASK, **attributes):
    return draw.user(name, inner, extensions, **attributes)


def service(name, operation="retenir", value="1"):
    return draw.element(
        "serviceTask", name, "", f'<masar:operation nom="{operation}"><masar:parametre nom="x" valeur="{draw.escaped(value)}"/></masar:operation>'
    )


def simple(*inner, name="hostile"):
    return draw.diagram(draw.process(*inner, name=name))


def chain(*inner, flows="start > a > end"):
    return simple(draw.start(), *inner, draw.end(), draw.flows(flows))


def table(inputs=("accueil.accompagne",), rules=(("true", '"a"'), ("not(true)", '"b"')), policy="FIRST", head="", type_="boolean"):
    """One decision as DMN."""
    columns = "".join(
        f'<input id="i{n}"><inputExpression id="e{n}" typeRef="{type_}"><text>{draw.escaped(text)}</text></inputExpression></input>'
        for n, text in enumerate(inputs)
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
    keys = {
        "type": '"text"',
        "label": label,
        "class": '"C"',
        "owner": '"OTE"',
        "purpose": '"identification"',
        "retention": '"P5Y"',
        "inferred": "true",
    } | changes
    written = "\n".join(f"{key} = {value}" for key, value in keys.items() if value is not None)
    return f'[group]\nid = "hostile"\nsubject = "case"\nlabel = {label}\n[fields."hostile.un"]\n{written}\n'.encode()
