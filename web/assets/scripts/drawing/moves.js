// What the panel and the outline do on the diagram in place of the mouse, and what they ask of it.
import { getBusinessObject, is, isAny } from "bpmn-js/lib/util/ModelUtil";
import { subjectsAround, tasksOf } from "./acts.js";
import { targetOf } from "./kinds.js";

const GAP = 50;
const touch = (one, other) => one.x < other.x + other.width + 10 && other.x < one.x + one.width + 10 && one.y < other.y + other.height + 10 && other.y < one.y + one.height + 10;

export function moves(context) {
  const { modeler, material } = context;
  const get = (name) => modeler.get(name);
  const registry = () => get("elementRegistry");
  const poolOf = (shape) => {
    let at = shape;
    while (at && !is(at, "bpmn:Participant")) at = at.parent;
    return at;
  };
  const lanesIn = (pool) => registry().filter((one) => is(one, "bpmn:Lane") && !one.labelTarget && poolOf(one) === pool && !one.children.some((inner) => is(inner, "bpmn:Lane")));
  const laneOf = (shape) => {
    for (let at = shape; at; at = at.parent) {
      if (is(at, "bpmn:Lane")) return at;
      const object = getBusinessObject(at);
      const host = at.host ? getBusinessObject(at.host) : object;
      const found = lanesIn(poolOf(at)).find((one) => (one.businessObject.get("flowNodeRef") ?? []).some((node) => node === object || node === host));
      if (found) return found;
    }
    return null;
  };
  const select = (shape, { show = true } = {}) => {
    if (!shape) return;
    const root = get("canvas").findRoot(shape);
    if (root && root !== get("canvas").getRootElement()) get("canvas").setRootElement(root);
    get("selection").select(shape.parent ? shape : []);
    if (show && shape.parent) get("canvas").scrollToElement(shape, 80);
  };
  const finish = (shape) => {
    if (get("directEditing").isActive()) get("directEditing").cancel();
    select(shape);
    context.panel.goTo("name-fr");
  };
  const steps = () => registry().filter((one) => one.parent && !one.waypoints && !one.labelTarget && !isAny(one, ["bpmn:Participant", "bpmn:Lane"]));
  const putInto = (flow, shape, made) => {
    const tool = get("spaceTool");
    const edge = shape.x + shape.width;
    const room = made.width + GAP;
    const everything = registry().filter((one) => one.parent && one.type !== "label");
    if (flow.target.x < edge + room + GAP && flow.target.x > shape.x) {
      const { movingShapes, resizingShapes } = tool.calculateAdjustments(everything, "x", room, edge + 1);
      tool.makeSpace(movingShapes, resizingShapes, { x: room, y: 0 }, "e", edge + 1);
    }
    return get("modeling").createShape(made, { x: edge + GAP + made.width / 2, y: shape.y + shape.height / 2 }, flow);
  };
  const putBeside = (shape, made) => {
    const added = get("autoPlace").append(shape, made);
    for (let turn = 0; turn < 8 && steps().some((one) => one !== added && one !== added.parent && touch(one, added)); turn += 1) get("modeling").moveElements([added], { x: 0, y: 50 }, added.parent);
    return added;
  };
  return {
    select,
    laneOf,
    agencyOf: (shape) => material.lanes.find((one) => one.id === laneOf(shape)?.businessObject.get("name"))?.agency ?? "",
    lanesFor: (shape) => (is(shape, "bpmn:FlowNode") && !shape.host && is(shape.parent, "bpmn:Participant") ? lanesIn(shape.parent) : []),
    moveTo(shape, id) {
      const lane = registry().get(id);
      const moved = lane.y + lane.height / 2 - (shape.y + shape.height / 2);
      get("modeling").moveElements([shape], { x: 0, y: moved }, shape.parent);
    },
    /** A step after another: put into its only way out, what follows making room; else beside it, where nothing stands. */
    addAfter(shape, kind) {
      const made = get("elementFactory").createShape(targetOf(kind));
      const ways = (shape.outgoing ?? []).filter((one) => is(one, "bpmn:SequenceFlow"));
      const isBetween = ways.length === 1 && !is(shape, "bpmn:Gateway") && !is(made, "bpmn:EndEvent") && !is(shape, "bpmn:BoundaryEvent");
      let added;
      context.writer.together(() => {
        added = isBetween ? putInto(ways[0], shape, made) : putBeside(shape, made);
      });
      finish(added);
    },
    addEdge(shape, kind) {
      const beside = shape.attachers?.length ?? 0;
      const at = { x: shape.x + Math.max(18, shape.width - 26 - 44 * beside), y: shape.y + shape.height };
      finish(get("modeling").createShape(get("elementFactory").createShape(targetOf(kind)), at, shape, { attach: true }));
    },
    subjects: () => subjectsAround(context.panel.shape, material.subjects),
    tasks: () => [...tasksOf(modeler, context.path, context.look.language), ...material.tasks.filter((one) => one.file !== context.path)],
    messages: () => {
      const here = registry().filter((one) => isAny(one, ["bpmn:Event", "bpmn:SendTask", "bpmn:ReceiveTask"])).flatMap((one) => (one.businessObject.get("extensionElements")?.get("values") ?? []).filter((note) => note.$type === "masar:Message").map((note) => note.get("nom")));
      return [...new Set([...material.messages, ...here.filter(Boolean)])].sort();
    },
  };
}
