"""The real diagrams drawn otherwise: a task put on a flow, one taken out, one under another id."""

from lxml import etree

B = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
TASK = """<bpmn:userTask xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:masar="urn:masar:bpmn:1" id="{id}" name="{name}"><bpmn:extensionElements>
<masar:libelle lang="ar">خطوة إضافية</masar:libelle><masar:libelle lang="en">One step more</masar:libelle><masar:tache form="{form}" role="{role}" delai="{days}" unite="jours"{more}/>
</bpmn:extensionElements></bpmn:userTask>"""


def redrawn(files, process, *edits):
    """The files with one diagram edited."""
    path = f"processes/{process}.bpmn"
    root = etree.fromstring(files[path])
    for edit in edits:
        edit(root)
    return {**files, path: etree.tostring(root, xml_declaration=True, encoding="UTF-8")}


def _by_id(root, name):
    return next(one for one in root.iter() if one.get("id") == name)


def added(name, flow, role, form, days=3, more=""):
    """A task on a flow, in the lane of where the flow comes from."""

    def edit(root):
        way = _by_id(root, flow)
        task = etree.fromstring(TASK.format(id=name, name="Étape ajoutée", role=role, form=form, days=days, more=more))
        way.getparent().append(task)
        target = way.get("targetRef")
        way.set("targetRef", name)
        on = etree.SubElement(way.getparent(), f"{B}sequenceFlow", id=f"{name}_suite", sourceRef=name, targetRef=target)
        for one in root.iter(f"{B}incoming"):
            if one.text == flow:
                one.text = on.get("id")
        etree.SubElement(task, f"{B}incoming").text = flow
        etree.SubElement(task, f"{B}outgoing").text = on.get("id")
        for lane in root.iter(f"{B}lane"):
            if way.get("sourceRef") in [one.text for one in lane.findall(f"{B}flowNodeRef")]:
                etree.SubElement(lane, f"{B}flowNodeRef").text = name

    return edit


def removed(name):
    """A task taken out: what led to it leads to what followed."""

    def edit(root):
        flows = list(root.iter(f"{B}sequenceFlow"))
        [on] = [one for one in flows if one.get("sourceRef") == name]
        target = _by_id(root, on.get("targetRef"))
        for way in flows:
            if way.get("targetRef") == name:
                way.set("targetRef", on.get("targetRef"))
                etree.SubElement(target, f"{B}incoming").text = way.get("id")
        for one in list(target.findall(f"{B}incoming")):
            if one.text == on.get("id"):
                target.remove(one)
        for gone in (_by_id(root, name), on, *[one for one in root.iter(f"{B}flowNodeRef") if one.text == name],
                     *[one for one in root.iter(f"{DI}BPMNShape", f"{DI}BPMNEdge") if one.get("bpmnElement") in (name, on.get("id"))]):  # fmt: skip
            gone.getparent().remove(gone)
        incoming = target.findall(f"{B}incoming")
        for one in incoming:  # the schema wants them before the outgoing
            target.remove(one)
        place = next((number for number, one in enumerate(target) if one.tag == f"{B}outgoing"), len(target))
        for one in reversed(incoming):
            target.insert(place, one)

    return edit


def under_another_id(name, other):
    def edit(root):
        for one in root.iter():
            for attribute, value in one.attrib.items():
                if value == name and attribute != "form":
                    one.set(attribute, other)
            if (one.text or "").strip() == name:
                one.text = other

    return edit
