"""Edits such as a slip of the pen makes in a diagram or a table: each takes what it changes and gives what changes the parsed file, or its bytes."""

from pathlib import Path

from lxml import etree

ROOT = Path(__file__).parents[2]
BPMN, MASAR = "{http://www.omg.org/spec/BPMN/20100524/MODEL}", "{urn:masar:bpmn:1}"
DMN = "{https://www.omg.org/spec/DMN/20191111/MODEL/}"


def node(root, element):
    return next(one for one in root.iter() if isinstance(one.tag, str) and one.get("id") == element)


def becomes(element, kind):
    def edit(root):
        node(root, element).tag = BPMN + kind

    return edit


def nobodys(task):
    """The task is nobody's: its note goes with it."""

    def edit(root):
        element = node(root, task)
        element.tag = BPMN + "task"
        holder = element.find(f"{BPMN}extensionElements")
        holder.remove(holder.find(f"{MASAR}tache"))

    return edit


def loses(element, attribute):
    def edit(root):
        del node(root, element).attrib[attribute]

    return edit


def takes(element, **attributes):
    def edit(root):
        for name, value in attributes.items():
            node(root, element).set(name, value)

    return edit


def note(element, **attributes):
    """Attributes of the task's `masar:tache`; None takes one away."""

    def edit(root):
        task = node(root, element).find(f"{BPMN}extensionElements/{MASAR}tache")
        for name, value in attributes.items():
            if value is None:
                del task.attrib[name]
            else:
                task.set(name, value)

    return edit


def without(element):
    def edit(root):
        gone = node(root, element)
        gone.getparent().remove(gone)

    return edit


def unlabelled(element, language):
    def edit(root):
        holder = node(root, element).find(f"{BPMN}extensionElements")
        holder.remove(next(one for one in holder.iter(f"{MASAR}libelle") if one.get("lang") == language))

    return edit


def out_of_its_lane(element):
    def edit(root):
        place = next(one for one in root.iter(f"{BPMN}flowNodeRef") if (one.text or "").strip() == element)
        place.getparent().remove(place)

    return edit


def timer_becomes_a_message(element):
    def edit(root):
        event = node(root, element)
        definition = event.find(f"{BPMN}timerEventDefinition")
        definition.tag = f"{BPMN}messageEventDefinition"
        definition[:] = []
        holder = event.find(f"{BPMN}extensionElements")
        etree.SubElement(holder, f"{MASAR}message", nom="autre.nouvelle")

    return edit


def conditioned_without_default(gateway):
    def edit(root):
        element = node(root, gateway)
        flow = node(root, element.get("default"))
        del element.attrib["default"]
        etree.SubElement(flow, f"{BPMN}conditionExpression").text = "accueil.accompagne = true"

    return edit


def reads(old, new):
    """A text changed once, wherever it stands."""

    def edit(raw):
        assert raw.count(old.encode()) >= 1, old
        return raw.replace(old.encode(), new.encode(), 1)

    return edit


def cell(rule, place, text):
    def edit(root):
        node(root, rule).findall(f"{DMN}inputEntry")[place].find(f"{DMN}text").text = text

    return edit


def first_rule(rule):
    def edit(root):
        moved = node(root, rule)
        holder = moved.getparent()
        place = min(list(holder).index(one) for one in holder.findall(f"{DMN}rule"))
        holder.remove(moved)
        holder.insert(place, moved)

    return edit


def rules_of(decision):
    root = etree.parse(next((ROOT / "processes" / "decisions").glob(f"{decision[0]}.dmn"))).getroot()
    return [one.get("id") for one in node(root, decision[1]).iter(f"{DMN}rule")]
