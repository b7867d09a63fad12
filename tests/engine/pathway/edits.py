"""Single edits of real diagrams and tables, as an editor would make them: each says which differences it should be told as, and no other."""

from lxml import etree

B = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
M = "{urn:masar:bpmn:1}"
DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
DC = "{http://www.omg.org/spec/DD/20100524/DC}"
D = "{https://www.omg.org/spec/DMN/20191111/MODEL/}"


def _id_of(node):
    while node.get("id") is None or not _is_drawn(node):
        node = node.getparent()
    return node.get("id")


def _is_drawn(node):
    holder = node.getparent()
    return holder is not None and etree.QName(holder).localname in ("process", "subProcess", "laneSet", "collaboration", "definitions", "decisionTable")


def _pick(rng, nodes, taken):
    free = [node for node in nodes if _id_of(node) not in taken]
    return rng.choice(free) if free else None


def _attribute(tag, name, what, written):
    """Changes an attribute of one of Masar's extensions."""

    def edit(rng, root, taken):
        node = _pick(rng, [one for one in root.iter(f"{M}{tag}") if one.get(name)], taken)
        if node is None:
            return None
        node.set(name, written(node.get(name)))
        return {("changed", _id_of(node), what)}

    return edit


def _text(tag, what, written):
    def edit(rng, root, taken):
        node = _pick(rng, [one for one in root.iter(f"{B}{tag}") if (one.text or "").strip()], taken)
        if node is None:
            return None
        node.text = written
        return {("changed", _id_of(node), what)}

    return edit


def _french_name(rng, root, taken):
    node = _pick(rng, [one for one in root.iter(f"{B}userTask", f"{B}exclusiveGateway", f"{B}endEvent") if one.get("name")], taken)
    if node is None:
        return None
    node.set("name", node.get("name") + " autrement")
    return {("renamed", node.get("id"), "name")}


def _other_name(rng, root, taken):
    named = ("userTask", "startEvent", "callActivity")
    node = _pick(rng, [one for one in root.iter(f"{M}libelle") if etree.QName(one.getparent().getparent()).localname in named], taken)
    if node is None:
        return None
    node.text = "شيء آخر"
    return {("renamed", _id_of(node), "name")}


def _flip(tag, attribute, default, what):
    def edit(rng, root, taken):
        node = _pick(rng, list(root.iter(f"{B}{tag}")), taken)
        if node is None:
            return None
        node.set(attribute, "false" if node.get(attribute, default) == "true" else "true")
        return {("changed", _id_of(node), what)}

    return edit


def _default(rng, root, taken):
    node = _pick(rng, [one for one in root.iter(f"{B}exclusiveGateway") if one.get("default")], taken)
    if node is None:
        return None
    ways = [one.get("id") for one in root.iter(f"{B}sequenceFlow") if one.get("sourceRef") == node.get("id")]
    node.set("default", next(one for one in ways if one != node.get("default")))
    return {("changed", node.get("id"), "default")}


def _end_of_flow(rng, root, taken):
    flow = _pick(rng, list(root.iter(f"{B}sequenceFlow")), taken)
    if flow is None:
        return None
    others = [one.get("id") for one in flow.getparent() if one.tag in (f"{B}userTask", f"{B}endEvent") and one.get("id") != flow.get("targetRef")]
    if not others:
        return None
    flow.set("targetRef", rng.choice(others))
    return {("changed", flow.get("id"), "target")}


def _lane(rng, root, taken):
    lanes = list(root.iter(f"{B}lane"))
    place = rng.choice([one for lane in lanes for one in lane.findall(f"{B}flowNodeRef") if one.text not in taken] or [None])
    other = next((lane for lane in lanes if place is not None and lane is not place.getparent() and lane.getparent() is place.getparent().getparent()), None)
    if other is None:
        return None
    other.append(place)
    return {("moved", place.text, "lane")}


def _new_id(rng, root, taken):
    """Another id everywhere it is written: flows, lanes, layout."""
    node = _pick(rng, [one for one in root.iter(f"{B}userTask", f"{B}serviceTask", f"{B}exclusiveGateway", f"{B}sequenceFlow")], taken)
    if node is None:
        return None
    old, new = node.get("id"), f"nouveau_{node.get('id')}"
    for one in root.iter():
        for name, value in one.attrib.items():
            if value == old and name != "form":
                one.set(name, new)
        if one.text == old:
            one.text = new
    return {("changed", new, "id")}


def _added(rng, root, taken):
    process = next(root.iter(f"{B}process"))
    node = etree.SubElement(process, f"{B}userTask", id=f"ajout_{rng.randrange(10**6)}", name="Une tâche de plus")
    return {("added", node.get("id"), "")}


def _removed_flow(rng, root, taken):
    defaults = {one.get("default") for one in root.iter() if one.get("default")}
    flow = _pick(rng, [one for one in root.iter(f"{B}sequenceFlow") if one.get("id") not in defaults], taken)
    if flow is None:
        return None
    flow.getparent().remove(flow)
    return {("removed", flow.get("id"), "")}


def _foreign(rng, root, taken):
    """What another editor keeps on an element."""
    node = _pick(rng, list(root.iter(f"{B}userTask")), taken)
    if node is None:
        return None
    node.set("{http://camunda.org/schema/1.0/bpmn}assignee", "quelqu'un")
    return {("changed", node.get("id"), "other")}


def _layout(rng, root, taken):
    people = {one.get("id") for one in root.iter(f"{B}userTask", f"{B}callActivity", f"{B}startEvent")} - taken
    for shape in root.iter(f"{DI}BPMNShape"):
        if shape.get("bpmnElement") in people and rng.random() < 0.5 or shape.get("bpmnElement") == min(people):
            bounds = shape.find(f"{DC}Bounds")
            bounds.set("x", str(float(bounds.get("x")) + 30))
    return {("layout", "", "layout")}


OF_DIAGRAMS = {
    "a French name": _french_name, "a name in another language": _other_name,
    "a deadline": _attribute("tache", "delai", "deadline", lambda value: str(int(value) + 1)),
    "a unit": _attribute("tache", "unite", "deadline", lambda value: "jours" if value != "jours" else "jours_ouvres"),
    "what it is due by": _attribute("tache", "echeance", "due", lambda value: "autre.date"),
    "a role": _attribute("tache", "role", "role", lambda value: "auditeur"), "a form": _attribute("tache", "form", "form", lambda value: "autre"),
    "a presence": _attribute("tache", "presence", "presence", lambda value: "distance" if value != "distance" else "antenne"),
    "an operation": _attribute("operation", "nom", "operation", lambda value: "autre"),
    "a parameter": _attribute("parametre", "valeur", "parameter", lambda value: "42"),
    "a decision": _attribute("decision", "ref", "decision", lambda value: "D99"),
    "a result": _attribute("decision", "resultat", "result", lambda value: "autre"),
    "a message": _attribute("message", "nom", "message", lambda value: "autre.message"),
    "a key": _attribute("message", "cle", "key", lambda value: "autre"),
    "a task kept apart": _attribute("tache", "distinct", "distinct", lambda value: "T999"),
    "what is handed in": _attribute("entree", "valeur", "input", lambda value: "autre"),
    "what is handed out": _attribute("sortie", "valeur", "output", lambda value: "autre"),
    "a list gone through": _attribute("collection", "valeur", "loop_collection", lambda value: "autre"),
    "a timer": _text("timeDuration", "timer", "P77D"), "a condition": _text("conditionExpression", "condition", "1 = 2"),
    "whether it interrupts": _flip("boundaryEvent", "cancelActivity", "true", "interrupting"),
    "how it repeats": _flip("multiInstanceLoopCharacteristics", "isSequential", "false", "loop"), "a default": _default, "where a flow goes": _end_of_flow,
    "a lane": _lane, "an id": _new_id, "an element more": _added, "a flow less": _removed_flow, "what another editor wrote": _foreign, "the layout": _layout,
}  # fmt: skip


def _cell(kind, what):
    def edit(rng, root, taken):
        cells = [one for one in root.iter(f"{D}{kind}") if one.getparent().get("id") and (one.findtext(f"{D}text") or "-") != "-"]
        node = _pick(rng, cells, taken)
        if node is None:
            return None
        node.find(f"{D}text").text = '"une autre valeur"'
        return {("changed", _id_of(node), what)}

    return edit


def _hit_policy(rng, root, taken):
    table = rng.choice([one for one in root.iter(f"{D}decisionTable") if one.getparent().get("id") not in taken] or [None])
    if table is None:
        return None
    table.set("hitPolicy", "ANY" if table.get("hitPolicy") != "ANY" else "FIRST")
    return {("changed", table.getparent().get("id"), "hit_policy")}


def _column(rng, root, taken):
    node = _pick(rng, list(root.iter(f"{D}inputExpression")), taken)
    if node is None:
        return None
    node.find(f"{D}text").text = "autre.chose"
    return {("changed", _id_of(node), "expression")}


def _rule_gone(rng, root, taken):
    rule = _pick(rng, list(root.iter(f"{D}rule")), taken)
    if rule is None:
        return None
    rule.getparent().remove(rule)
    return {("removed", rule.get("id"), "")}


def _rule_come(rng, root, taken):
    rule = _pick(rng, list(root.iter(f"{D}rule")), taken)
    if rule is None:
        return None
    made = etree.fromstring(etree.tostring(rule))
    made.set("id", f"{rule.get('id')}_{rng.randrange(10**6)}")
    for text in made.iter(f"{D}text"):
        text.text = '"neuf"'
    rule.addnext(made)
    return {("added", made.get("id"), "")}


def _rule_moved(rng, root, taken):
    """To the other end of a table of at least three: with two, which of them moved is anybody's guess."""
    ids = {one: {rule.get("id") for rule in one.findall(f"{D}rule")} for one in root.iter(f"{D}decisionTable")}
    tables = [one for one, rules in ids.items() if len(rules) > 2 and not taken & rules]
    if not tables:
        return None
    table = rng.choice(tables)
    rules = table.findall(f"{D}rule")
    rules[-1].addnext(rules[0])
    return {("moved", rules[0].get("id"), "order")} | {("taken", rule.get("id"), "") for rule in rules[1:]}


def _explanation(rng, root, taken):
    node = _pick(rng, [one for one in root.iter(f"{D}description") if one.getparent().tag == f"{D}rule"], taken)
    if node is None:
        return None
    node.text = "Autrement dit"
    return {("changed", _id_of(node), "description")}


OF_TABLES = {"a cell": _cell("inputEntry", "cell"), "a result": _cell("outputEntry", "outcome"), "a hit policy": _hit_policy, "a column": _column,
             "a rule less": _rule_gone, "a rule more": _rule_come, "a rule elsewhere": _rule_moved, "an explanation": _explanation}  # fmt: skip


def edited(rng, content, edits, count):
    """The content after so many edits of different elements, and what should be told of them: {(kind, element, what)}."""
    root = etree.fromstring(content)
    expected, taken = set(), set()
    for name in rng.sample(sorted(edits), min(count, len(edits))):
        told = edits[name](rng, root, taken)
        if told:
            expected |= {one for one in told if one[0] != "taken"}
            taken |= {element for _, element, _ in told}
            taken |= {element.removeprefix("nouveau_") for _, element, _ in told}
    return etree.tostring(root) if expected else content, expected
