// The diagram as a nested list, in the order in which it is walked: pools, lanes, steps, what hangs on each and where it leads. For whoever cannot see the
// canvas, and for whoever would rather read. One stop of the tab key; arrows, Home and End move; the other keys do to a step here what they do to it on the canvas.
import { is, isAny } from "bpmn-js/lib/util/ModelUtil";
import { keyOf } from "../letters.js";
import { h } from "./fields.js";
import { iconOf, kindOf, nameOfKind } from "./kinds.js";
import { nameOf, shownName } from "./names.js";
import { n, t } from "./words.js";

const ON_A_STEP = /^(a|e|enter|delete|backspace)$/i;

export class Outline {
  constructor(place, context) {
    Object.assign(this, { place, context });
    const eventBus = context.modeler.get("eventBus");
    eventBus.on(["import.done", "commandStack.changed"], () => this.later());
    eventBus.on("selection.changed", () => this.mark());
    place.addEventListener("keydown", (event) => this.move(event) || this.press(event));
    place.addEventListener("click", (event) => {
      const item = event.target.closest("button[data-element]");
      if (item) this.choose(item.dataset.element);
    });
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.draw(), 150);
  }

  draw() {
    const { modeler } = this.context;
    if (!modeler.getDefinitions()) return;
    const focused = this.place.contains(document.activeElement) ? document.activeElement.dataset.element : "";
    const place = focused ? this.items.findIndex((one) => one.dataset.element === focused) : -1;
    const root = modeler.get("canvas").getRootElements?.()[0] ?? modeler.get("canvas").getRootElement();
    const pools = root.children.filter((one) => is(one, "bpmn:Participant"));
    this.place.replaceChildren(h("ul", { class: "outline" }, pools.length ? pools.map((one) => this.pool(one)) : this.steps(root, root.children)));
    this.mark();
    if (focused) this.rest(this.item(focused) ?? this.items[Math.min(place, this.items.length - 1)]);
  }

  pool(pool) {
    const lanes = [];
    const gather = (shape) => shape.children.filter((one) => is(one, "bpmn:Lane")).forEach((one) => (one.children.some((inner) => is(inner, "bpmn:Lane")) ? gather(one) : lanes.push(one)));
    gather(pool);
    const inside = pool.children.filter((one) => !is(one, "bpmn:Lane"));
    if (!lanes.length) return this.entry(pool, this.steps(pool, inside));
    const left = new Set(inside);
    const parts = lanes.sort((one, other) => one.y - other.y).map((lane) => {
      const held = new Set(lane.businessObject.get("flowNodeRef"));
      const mine = inside.filter((one) => held.has(one.businessObject) && left.delete(one));
      return this.entry(lane, this.steps(pool, mine, inside));
    });
    return this.entry(pool, [...parts, ...this.steps(pool, [...left].filter((one) => is(one, "bpmn:FlowNode") && !one.host), inside)]);
  }

  /** The items of these shapes, in the order of the flow. `among`: all those the flow goes through. */
  steps(_parent, shapes, among = shapes) {
    const wanted = new Set(shapes);
    return inOrder(among.filter((one) => is(one, "bpmn:FlowNode") && !one.labelTarget && !one.host)).filter((one) => wanted.has(one)).map((one) => {
      const inside = is(one, "bpmn:SubProcess") ? this.steps(one, this.within(one)) : [];
      const hung = (one.attachers ?? []).map((edge) => this.entry(edge, []));
      return this.entry(one, [...hung, ...inside]);
    });
  }

  within(shape) {
    const plane = this.context.modeler.get("elementRegistry").get(`${shape.id}_plane`);
    return shape.children.some((one) => is(one, "bpmn:FlowNode")) ? shape.children : (plane?.children ?? []);
  }

  entry(shape, inside) {
    const object = shape.businessObject;
    const { language } = this.context.look;
    const found = [shape, ...(shape.outgoing ?? [])].flatMap((one) => this.context.findings.of(one));
    const errors = found.filter((one) => one.severity === "error").length;
    const ways = (shape.outgoing ?? []).filter((one) => is(one, "bpmn:SequenceFlow")).map((flow) => {
      const label = nameOf(flow.businessObject, language) || nameOf(flow.businessObject, "fr");
      const target = this.called(flow.target);
      return label ? t("outline.way_if", { name: target, when: label }) : target;
    });
    const kind = is(shape, "bpmn:Lane") ? t("kind.Lane") : nameOfKind(shape);
    const name = is(shape, "bpmn:Lane") ? this.laneName(object) : this.called(shape);
    const isNamed = name !== kind;
    const item = h(
      "button",
      { type: "button", "data-element": shape.id, tabIndex: -1, class: isAny(shape, ["bpmn:Participant", "bpmn:Lane"]) ? "outline-head" : "" },
      h("span", { class: `outline-kind ${iconOf(kindOf(shape))}`, title: kind }, isNamed && h("span", { class: "visually-hidden" }, `${kind} `)),
      h("span", { class: isNamed ? "outline-name" : "outline-name outline-unnamed" }, h("bdi", {}, name)),
      found.length > 0 && h("span", { class: `count-${errors ? "error" : "warning"}` }, String(found.length), h("span", { class: "visually-hidden" }, ` ${n("found", found.length)}`)),
      ways.length > 0 && h("span", { class: "visually-hidden" }, t("outline.leads", { to: ways.join(t("outline.and")) })),
    );
    return h("li", {}, item, inside.length > 0 && h("ul", {}, inside));
  }

  /** The name of a step, else what it is. */
  called(shape) {
    const { language } = this.context.look;
    return nameOf(shape.businessObject, language) || nameOf(shape.businessObject, "fr") || nameOfKind(shape);
  }

  laneName(object) {
    const known = this.context.material.lanes.find((one) => one.id === object.get("name"));
    return known ? this.context.material.agencies[known.agency] : shownName(object, this.context.look.language);
  }

  item(id) {
    return this.place.querySelector(`button[data-element="${CSS.escape(id)}"]`);
  }

  mark() {
    const chosen = this.context.modeler.get("selection").get().map((one) => (one.labelTarget ?? one).id);
    const { items } = this;
    for (const item of items) {
      const isChosen = chosen.includes(item.dataset.element);
      if (isChosen) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
      item.tabIndex = -1;
    }
    const first = items.find((one) => one.hasAttribute("aria-current")) ?? items[0];
    if (first) first.tabIndex = 0;
    if (first?.hasAttribute("aria-current") && !this.place.contains(document.activeElement)) first.scrollIntoView({ block: "nearest" });
  }

  get items() {
    return [...this.place.querySelectorAll("button[data-element]")];
  }

  move(event) {
    const { items } = this;
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (at < 0 || to === undefined) return false;
    event.preventDefault();
    if (items[to]) this.rest(items[to]);
    return true;
  }

  /** The one stop of the tab key is now here. */
  rest(item) {
    for (const one of this.items) one.tabIndex = one === item ? 0 : -1;
    item?.focus();
  }

  /** What a key does on the canvas, done to the step that is read here. */
  press(event) {
    const { modeler, select, announce, look } = this.context;
    const shape = modeler.get("elementRegistry").get(document.activeElement?.dataset.element ?? "");
    const isOfAll = event.ctrlKey || event.metaKey;
    if (!shape || event.altKey || !(isOfAll || ON_A_STEP.test(keyOf(event)))) return;
    const name = shownName(shape.businessObject, look.language);
    if (!isOfAll) select(shape);
    if (modeler.get("eventBus").fire("keyboard.keydown", { keyEvent: event })) event.preventDefault();
    if (!modeler.get("elementRegistry").get(shape.id)) announce(t("removed", { name }));
  }

  choose(id) {
    const shape = this.context.modeler.get("elementRegistry").get(id);
    this.context.select(shape);
    this.context.announce(t("chosen", { name: shownName(shape.businessObject, this.context.look.language) }));
  }
}

/** Shapes in the order in which tokens may come to them: each after what leads to it, rounds apart. */
function inOrder(shapes) {
  const among = new Set(shapes);
  const seen = new Set();
  const late = [];
  const visit = (shape) => {
    if (!among.has(shape) || seen.has(shape)) return;
    seen.add(shape);
    const next = [...(shape.outgoing ?? []), ...(shape.attachers ?? []).flatMap((edge) => edge.outgoing ?? [])].filter((one) => is(one, "bpmn:SequenceFlow")).map((one) => one.target);
    for (const target of next.sort((one, other) => other.y - one.y || other.x - one.x)) visit(target);
    late.unshift(shape);
  };
  const isStart = (one) => is(one, "bpmn:StartEvent") || !(one.incoming ?? []).length;
  for (const shape of [...shapes].sort((one, other) => isStart(other) - isStart(one) || one.x - other.x).reverse()) if (isStart(shape)) visit(shape);
  for (const shape of shapes) visit(shape);
  return late;
}
