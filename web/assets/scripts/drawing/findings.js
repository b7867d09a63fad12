// What the server's judge finds in the draft, asked again after each save, shown as sentences and as marks on the diagram. Nothing waits for the answer. The
// whole draft is judged, a second or two of the server's work: one question at a time, and what was saved meanwhile is asked once it is answered.
import { is } from "bpmn-js/lib/util/ModelUtil";
import { h, icon } from "./fields.js";
import { n, t } from "./words.js";

const REST = 250;
const SLOW = 400;

export class Findings {
  constructor(place, context) {
    Object.assign(this, { place, context, found: [], elsewhere: [], state: "none" });
    const eventBus = context.modeler.get("eventBus");
    eventBus.on("import.done", () => this.paint());
    eventBus.on(["shape.added", "connection.added", "elements.changed"], () => this.later());
    place.addEventListener("click", (event) => {
      const item = event.target.closest("button[data-at]");
      if (item) this.choose(this.found[Number(item.dataset.at)]);
    });
  }

  /** The findings about a shape; those about a process are its pool's. */
  of(shape) {
    const ids = new Set([shape?.id, shape?.businessObject?.id, shape?.businessObject?.get?.("processRef")?.id]);
    return this.found.filter((one) => ids.has(one.element));
  }

  ask() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fetch(), REST);
  }

  async fetch() {
    if (this.asking) {
      this.isStale = true;
      return;
    }
    this.asking = true;
    this.isStale = false;
    const slow = setTimeout(() => this.tell("asking"), SLOW);
    try {
      const answer = await fetch(this.context.findingsAddress, { headers: { accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const told = await answer.json();
      clearTimeout(slow);
      this.context.saver.heard(told);
      this.take(told);
    } catch {
      clearTimeout(slow);
      this.tell("unknown");
    }
    this.asking = false;
    if (this.isStale) this.ask();
  }

  take({ findings, elsewhere }) {
    const isSame = JSON.stringify([this.found, this.elsewhere]) === JSON.stringify([findings, elsewhere]);
    Object.assign(this, { found: findings, elsewhere });
    if (isSame && this.state === "known") return;
    this.tell("known");
    if (isSame) return;
    this.paint();
    this.context.panel.show();
    this.context.outline.later();
  }

  tell(state) {
    this.state = state;
    const errors = this.found.filter((one) => one.severity === "error").length;
    const warnings = this.found.length - errors;
    const chips = [
      errors > 0 && h("span", { class: "state state-late" }, icon("exclamation-octagon"), h("span", {}, n("errors", errors))),
      warnings > 0 && h("span", { class: "state state-due" }, icon("exclamation-triangle"), h("span", {}, n("warnings", warnings))),
      state === "known" && !this.found.length && h("span", { class: "state state-good" }, icon("check-circle"), h("span", {}, t("found_none"))),
      state === "asking" && h("span", { class: "state state-calm" }, icon("hourglass-split"), h("span", {}, t("checking"))),
      state === "unknown" && h("span", { class: "state state-due" }, icon("exclamation-triangle"), h("span", {}, t("unchecked"))),
    ];
    this.place.querySelector("[data-chips]").replaceChildren(...chips.filter(Boolean));
    if (state !== "asking") this.list();
  }

  list() {
    const items = this.found.map((one, at) =>
      h("li", {}, h("button", { type: "button", class: `finding finding-${one.severity}`, "data-at": String(at), "data-code": one.code }, icon(one.severity === "error" ? "exclamation-octagon" : "exclamation-triangle"), h("span", {}, one.sentence))),
    );
    const { draft } = this.context;
    const others = this.elsewhere.map((one) => {
      const address = `${draft}/${editorOf(one.path)}${one.element ? `?element=${encodeURIComponent(one.element)}` : ""}`;
      return h("li", { class: `finding finding-${one.severity}` }, icon(one.severity === "error" ? "exclamation-octagon" : "exclamation-triangle"), h("span", {}, one.sentence, " ", one.path && h("a", { href: address }, one.title)));
    });
    this.place.querySelector("[data-list]").replaceChildren(
      ...(items.length ? [h("ul", { class: "plain" }, items)] : [h("p", { class: "text-soft mb-0" }, t("found_nothing_here"))]),
      ...(others.length ? [h("details", { class: "fold" }, h("summary", {}, n("elsewhere", others.length)), h("ul", { class: "plain" }, others))] : []),
    );
  }

  later() {
    clearTimeout(this.painting);
    this.painting = setTimeout(() => this.paint(), 60);
  }

  paint() {
    for (const viewer of [this.context.modeler, this.context.mirror?.viewer].filter(Boolean)) {
      const canvas = viewer.get("canvas");
      const overlays = viewer.get("overlays");
      overlays.remove({ type: "masar-finding" });
      viewer.get("elementRegistry").forEach((shape) => {
        const found = shape.labelTarget ? [] : this.of(shape);
        const isWrong = found.some((one) => one.severity === "error");
        for (const [marker, isOn] of [["masar-error", isWrong], ["masar-warning", found.length > 0 && !isWrong]]) {
          if (isOn !== canvas.hasMarker(shape, marker)) canvas[isOn ? "addMarker" : "removeMarker"](shape, marker);
        }
        if (found.length && shape.parent) {
          const badge = h("div", { class: `finding-mark finding-mark-${isWrong ? "error" : "warning"}`, title: found.map((one) => one.sentence).join("\n"), "aria-hidden": "true" }, "!");
          const position = shape.waypoints ? onTheWay(shape.waypoints) : is(shape, "bpmn:Participant") ? { top: 6, left: 6 } : { top: -10, right: 12 };
          overlays.add(shape.id, "masar-finding", { position, html: badge, show: { minZoom: 0.3 } });
        }
      });
    }
  }

  choose(finding) {
    const registry = this.context.modeler.get("elementRegistry");
    const shape = registry.get(finding.element) ?? registry.find((one) => one.businessObject?.get?.("processRef")?.id === finding.element) ?? this.context.modeler.get("canvas").getRootElement();
    this.context.select(shape);
    this.context.announce(t("chosen", { name: finding.element || this.context.fileName }));
    this.context.panel.focusOn(finding);
  }
}

/** Where a file of a draft is worked on, as `draft/_parts.html` says. */
function editorOf(path) {
  const name = path.split("/").pop();
  if (path.endsWith(".bpmn")) return `diagrams/${path}`;
  if (path.endsWith(".dmn")) return `tables/${path}`;
  return path.startsWith("forms/tasks/") ? `forms/${name}` : path.startsWith("forms/letters/") ? `letters/${name}` : `files/${path}`;
}

/** The middle of a flow's longest stretch, from the corner of the box around it: where its mark is seen and hides no end. */
function onTheWay(points) {
  const stretches = points.slice(1).map((to, at) => ({ from: points[at], to, length: Math.hypot(to.x - points[at].x, to.y - points[at].y) }));
  const { from, to } = stretches.reduce((longest, one) => (one.length > longest.length ? one : longest));
  return { left: (from.x + to.x) / 2 - Math.min(...points.map((one) => one.x)) - 10, top: (from.y + to.y) / 2 - Math.min(...points.map((one) => one.y)) - 10 };
}
