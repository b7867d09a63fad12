// What Masar runs, and only that, is offered: in the palette, in the menu that changes an element, in the panel.
import ElementFactory from "bpmn-js/lib/features/modeling/ElementFactory";
import { is, isAny } from "bpmn-js/lib/util/ModelUtil";
import { isEventSubProcess, isExpanded } from "bpmn-js/lib/util/DiUtil";
import { t } from "./words.js";

const EVENTS = { message: "Message", timer: "Timer", condition: "Conditional", signal: "Signal", error: "Error", escalation: "Escalation", link: "Link", terminate: "Terminate" };
const ACTS = ["UserTask", "ManualTask", "ServiceTask", "BusinessRuleTask", "SendTask", "ReceiveTask", "CallActivity", "SubProcess", "Task"];
const GATEWAYS = ["ExclusiveGateway", "ParallelGateway", "InclusiveGateway", "EventBasedGateway"];
const CATCHES = ["message", "timer", "condition", "signal", "link"];
const THROWS = ["none", "message", "signal", "escalation", "link"];
const ENDS = ["none", "message", "signal", "error", "escalation", "terminate"];
const EDGES = ["timer", "message", "error", "escalation", "signal", "condition"];

const events = (type, kinds) => kinds.map((kind) => `${type}_${kind}`);

/** The event an element listens for or throws: "none", "message"… */
export function eventOf(object) {
  const definition = object.get("eventDefinitions")?.[0];
  const found = Object.entries(EVENTS).find(([, name]) => definition?.$type === `bpmn:${name}EventDefinition`);
  return found ? found[0] : definition ? "other" : "none";
}

/** The kind of an element, as `kind.<…>` of the words: "UserTask", "StartEvent_message", "EventSubProcess". */
export function kindOf(shape) {
  const object = shape.businessObject;
  if (isEventSubProcess(object)) return "EventSubProcess";
  const name = object.$type.replace("bpmn:", "");
  return is(object, "bpmn:Event") ? `${name}_${eventOf(object)}` : name;
}

export function nameOfKind(shape) {
  const kind = kindOf(shape);
  const said = t(`kind.${kind}`);
  return said.startsWith("[") ? kind : said;
}

const ICONS = {
  Collaboration: "participant", Process: "participant", Participant: "participant", Lane: "lane", Task: "task", UserTask: "user-task", ManualTask: "manual-task", ServiceTask: "service-task",
  BusinessRuleTask: "business-rule-task", SendTask: "send-task", ReceiveTask: "receive-task", CallActivity: "call-activity", SubProcess: "subprocess-expanded",
  EventSubProcess: "event-subprocess-expanded", ExclusiveGateway: "gateway-xor", ParallelGateway: "gateway-parallel", InclusiveGateway: "gateway-or", EventBasedGateway: "gateway-eventbased",
  StartEvent_none: "start-event-none", EndEvent_none: "end-event-none", EndEvent_terminate: "end-event-terminate", IntermediateThrowEvent_none: "intermediate-event-none",
};

/** The class of bpmn-js's own font that draws a kind. */
export function iconOf(kind) {
  const [name, event] = kind.split("_");
  const base = { StartEvent: "start-event", EndEvent: "end-event", IntermediateCatchEvent: "intermediate-event-catch", BoundaryEvent: "intermediate-event-catch", IntermediateThrowEvent: "intermediate-event-throw" }[name];
  return `bpmn-icon-${ICONS[kind] ?? (base && event ? `${base}-${event}` : "task")}`;
}

/** What an element may become, itself included. */
export function kindsFor(shape) {
  const object = shape.businessObject;
  if (is(object, "bpmn:BoundaryEvent")) return events("BoundaryEvent", EDGES);
  if (is(object, "bpmn:StartEvent")) return events("StartEvent", isEventSubProcess(object.$parent) ? EDGES : is(object.$parent, "bpmn:SubProcess") ? ["none"] : ["none", "message"]);
  if (is(object, "bpmn:EndEvent")) return events("EndEvent", ENDS);
  if (is(object, "bpmn:Event")) return [...events("IntermediateCatchEvent", CATCHES), ...events("IntermediateThrowEvent", THROWS)];
  if (is(object, "bpmn:Gateway")) return GATEWAYS;
  if (is(object, "bpmn:SubProcess")) return isExpanded(shape) ? ["SubProcess", "EventSubProcess"] : ["SubProcess"];
  if (is(object, "bpmn:Activity")) return ACTS.filter((kind) => kind !== "SubProcess");
  return [];
}

/** What may follow an element. */
export function kindsAfter(shape) {
  const object = shape.businessObject;
  if (isEventSubProcess(object)) return [];
  if (is(object, "bpmn:EndEvent") || (is(object, "bpmn:IntermediateThrowEvent") && eventOf(object) === "link")) return [];
  if (is(object, "bpmn:EventBasedGateway")) return ["ReceiveTask", ...events("IntermediateCatchEvent", ["message", "timer", "condition", "signal"])];
  if (!is(object, "bpmn:FlowNode")) return [];
  return [...ACTS, ...GATEWAYS, ...events("IntermediateCatchEvent", CATCHES), ...events("IntermediateThrowEvent", THROWS), ...events("EndEvent", ENDS)];
}

export const kindsOnEdge = (shape) => (is(shape, "bpmn:Activity") && !isEventSubProcess(shape) ? events("BoundaryEvent", EDGES) : []);

/** A kind as bpmn-js makes it. */
export function targetOf(kind) {
  if (kind === "EventSubProcess") return { type: "bpmn:SubProcess", triggeredByEvent: true, isExpanded: true };
  const [name, event] = kind.split("_");
  const target = { type: `bpmn:${name}` };
  if (name === "SubProcess") target.isExpanded = true;
  if (event && event !== "none") target.eventDefinitionType = `bpmn:${EVENTS[event]}EventDefinition`;
  return target;
}

const NOT_RUN = /compensat|cancel|transaction|ad-?hoc|script|complex|data-|multiple|parallel-event|instantiat/i;
const dropped = (entries) => Object.fromEntries(Object.entries(entries).filter(([name]) => !NOT_RUN.test(name)));

class OnlyWhatRuns {
  constructor(popupMenu, contextPad) {
    popupMenu.registerProvider("bpmn-replace", 100, this);
    contextPad.registerProvider(100, this);
  }
  getPopupMenuEntries() {
    return dropped;
  }
  getPopupMenuHeaderEntries() {
    return (entries) => Object.fromEntries(Object.entries(entries).filter(([name]) => !/participant/i.test(name)));
  }
  getContextPadEntries() {
    return (entries) => Object.fromEntries(Object.entries(entries).filter(([name]) => !NOT_RUN.test(name)));
  }
  getMultiElementContextPadEntries() {
    return (entries) => Object.fromEntries(Object.entries(entries).filter(([name]) => !/align|distribute/.test(name)));
  }
}
OnlyWhatRuns.$inject = ["popupMenu", "contextPad"];

const PALETTE = [
  ["StartEvent_none", "event", "bpmn-icon-start-event-none"],
  ["IntermediateCatchEvent_timer", "event", "bpmn-icon-intermediate-event-catch-timer"],
  ["IntermediateCatchEvent_message", "event", "bpmn-icon-intermediate-event-catch-message"],
  ["EndEvent_none", "event", "bpmn-icon-end-event-none"],
  ["ExclusiveGateway", "gateway", "bpmn-icon-gateway-xor"],
  ["ParallelGateway", "gateway", "bpmn-icon-gateway-parallel"],
  ["UserTask", "act", "bpmn-icon-user-task"],
  ["ServiceTask", "act", "bpmn-icon-service-task"],
  ["BusinessRuleTask", "act", "bpmn-icon-business-rule-task"],
  ["CallActivity", "act", "bpmn-icon-call-activity"],
  ["SubProcess", "act", "bpmn-icon-subprocess-expanded"],
  ["Participant", "pool", "bpmn-icon-participant"],
];

class Palette {
  constructor(palette, create, elementFactory, handTool, lassoTool, spaceTool, globalConnect, translate) {
    Object.assign(this, { create, elementFactory, tools: { hand: handTool, lasso: lassoTool, space: spaceTool, connect: globalConnect }, translate });
    palette.registerProvider(this);
  }
  getPaletteEntries() {
    const { hand, lasso, space, connect } = this.tools;
    const tool = (className, title, click) => ({ group: "tools", className, title: this.translate(title), action: { click } });
    const entries = {
      hand: tool("bpmn-icon-hand-tool", "Activate hand tool", (event) => hand.activateHand(event)),
      lasso: tool("bpmn-icon-lasso-tool", "Activate lasso tool", (event) => lasso.activateSelection(event)),
      space: tool("bpmn-icon-space-tool", "Activate create/remove space tool", (event) => space.activateSelection(event)),
      connect: tool("bpmn-icon-connection-multi", "Activate global connect tool", (event) => connect.start(event)),
    };
    for (const [kind, group, className] of PALETTE) {
      const begin = (event) => this.create.start(event, this.shape(kind));
      entries[kind] = { group, className, title: t("create", { kind: t(`kind.${kind}`) }), action: { dragstart: begin, click: begin } };
    }
    return entries;
  }
  shape(kind) {
    if (kind === "Participant") return this.elementFactory.createParticipantShape();
    return this.elementFactory.createShape(targetOf(kind));
  }
}
Palette.$inject = ["palette", "create", "elementFactory", "handTool", "lassoTool", "spaceTool", "globalConnect", "translate"];

/** Tasks wide enough for a French verb. */
class Sizes extends ElementFactory {
  getDefaultSize(element, di) {
    return isAny(element, ["bpmn:Task", "bpmn:CallActivity"]) ? { width: 145, height: 80 } : super.getDefaultSize(element, di);
  }
}
Sizes.$inject = ElementFactory.$inject;

const nothing = ["value", {}];
/** The menus that line elements up are drawn with styles written into the page, which our policy refuses: the panel has their buttons. */
export const onlyWhatRuns = {
  __init__: ["onlyWhatRuns"],
  onlyWhatRuns: ["type", OnlyWhatRuns],
  paletteProvider: ["type", Palette],
  elementFactory: ["type", Sizes],
  alignElementsContextPadProvider: nothing,
  alignElementsMenuProvider: nothing,
  distributeElementsMenuProvider: nothing,
};
