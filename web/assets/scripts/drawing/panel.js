// The panel: what the chosen element is, in plain words, with lists to choose from. Built anew at each change; focus and typing stay where they were.
import { getBusinessObject, is } from "bpmn-js/lib/util/ModelUtil";
import { actSections } from "./acts.js";
import { button, h, icon } from "./fields.js";
import { eventSections, flowSections } from "./flows.js";
import { lookSections, nameSections, placeSections } from "./places.js";
import { nameOfKind } from "./kinds.js";
import { nameOf } from "./names.js";
import { t } from "./words.js";

// Which control a finding is about: the first whose word begins its code's last part.
const ABOUT = [
  ["form_", "form"], ["role_", "role"], ["lane_", "lane"], ["deadline_", "deadline"], ["due_without", "deadline"], ["due_", "due"], ["shift_", "shift"], ["presence_", "presence"], ["distinct_", "distinct"], ["grants_alone", "distinct"],
  ["label_", "name"], ["default_", "default"], ["operation_", "operation"], ["decision_", "decision"], ["call_", "call"], ["timer_", "timer"],
  ["collection_", "collection"], ["loop_", "loop"], ["condition_", "condition"], ["name_missing", "event"], ["id_", "id"], ["unforeseen_by", "role"], ["unforeseen_", "unforeseen"],
];

const CONTROLS = ":is(input, select, textarea)[data-key]";
const MISSING = /expression_missing|attribute_missing/;
const OPTIONAL = /search|^payload|^name|^after|^edge|^connect|^distinct|^presence|^subject|^due|^shift|^documentation|^key/;

export function keyOf(finding) {
  const last = finding.code.split(".").pop();
  return ABOUT.find(([word]) => last.startsWith(word))?.[1] ?? "";
}

export class Panel {
  constructor(place, context) {
    this.place = place;
    this.context = context;
    const eventBus = context.modeler.get("eventBus");
    eventBus.on("selection.changed", () => this.show());
    eventBus.on(["commandStack.changed", "import.done"], () => this.show());
  }

  get shape() {
    const chosen = this.context.modeler.get("selection").get();
    return chosen.length > 1 ? null : (chosen[0]?.labelTarget ?? chosen[0] ?? this.context.modeler.get("canvas").getRootElement());
  }

  show() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.draw());
  }

  draw() {
    if (!this.context.modeler.getDefinitions()) return;
    const held = this.place.contains(document.activeElement) ? document.activeElement : null;
    const typed = held && { key: held.dataset.key, value: held.value, from: held.selectionStart, to: held.selectionEnd, isText: /^(text|textarea|search)$/.test(held.type ?? ""), isPending: Boolean(held.dataset.pending) };
    const top = this.place.scrollTop;
    const isSame = this.shown === this.shape;
    this.shown = this.shape;
    this.place.replaceChildren(...(this.shape ? this.of(this.shape) : this.ofSeveral()));
    this.place.scrollTop = isSame ? top : 0;
    const again = isSame && typed?.key ? this.place.querySelector(`[data-key="${CSS.escape(typed.key)}"]`) : null;
    if (again) {
      if ((typed.isText || typed.isPending) && again.value !== typed.value) {
        again.value = typed.value;
        again.dispatchEvent(new Event(typed.isText ? "input" : "change"));
      }
      again.focus({ preventScroll: true });
      if (typed.isText && typed.from !== null) again.setSelectionRange(typed.from, typed.to);
    } else if (held) this.place.querySelector("h2")?.focus({ preventScroll: true });
  }

  /** Takes the reader to a control of what has just been chosen; to the first one where there is none of that key, or none was named. */
  goTo(key) {
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        const control = (key && this.place.querySelector(`[data-key="${key}"]`)) || this.place.querySelector(CONTROLS) || this.place.querySelector("h2");
        control?.focus();
        if (control?.type === "text") control.select();
      }),
    );
  }

  /** Takes the reader to the control that mends a finding, else to the head of the panel. */
  focusOn(finding) {
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        const key = keyOf(finding);
        const mine = key ? [...this.place.querySelectorAll(`[data-key^="${key}"]`)] : [];
        const control = mine.find((one) => one.hasAttribute("aria-invalid")) ?? mine[0] ?? (MISSING.test(finding.code) ? this.empty() : null) ?? this.place.querySelector("h2");
        if (!control) return;
        control.scrollIntoView({ block: "center" });
        control.focus({ preventScroll: true });
      }),
    );
  }

  /** The first control that something is still to be written in. */
  empty() {
    return [...this.place.querySelectorAll(CONTROLS)].find((one) => one.value === "" && !OPTIONAL.test(one.dataset.key));
  }

  of(shape) {
    const object = getBusinessObject(shape);
    const { context } = this;
    const found = context.findings.of(shape);
    const used = new Set();
    const view = {
      ...context, shape, object,
      locked: !context.maySave,
      findingsFor: (key) => found.filter((one) => keyOf(one) === key && used.add(one)),
    };
    const name = is(object, "bpmn:Collaboration") ? context.fileName : nameOf(object, context.look.language) || nameOf(object, "fr") || t("unnamed");
    const sections = [nameSections, actSections, eventSections, flowSections, placeSections, lookSections].flatMap((make) => make(view)).filter(Boolean);
    const others = found.filter((one) => !used.has(one));
    return [
      h("p", { class: "panel-kind" }, nameOfKind(shape)),
      h("h2", { tabIndex: -1 }, h("bdi", {}, name)),
      is(object, "bpmn:Collaboration") && this.help(),
      others.length > 0 && h("ul", { class: "plain panel-found" }, others.map((one) => h("li", { class: `field-${one.severity}` }, icon(one.severity === "error" ? "exclamation-octagon" : "exclamation-triangle"), " ", one.sentence))),
      ...sections,
    ].filter(Boolean);
  }

  /** What to do when nothing is chosen. */
  help() {
    const rows = ["a", "enter", "delete", "e", "arrows", "undo", "find", "f6"].map((one) => [h("dt", {}, h("kbd", {}, t(`key.${one}`))), h("dd", {}, t(`key_does.${one}`))]);
    return h("div", { class: "panel-help" }, h("p", {}, t("help")), h("h3", {}, t("keys")), h("dl", {}, rows));
  }

  ofSeveral() {
    const { modeler } = this.context;
    const chosen = modeler.get("selection").get();
    const align = (how) => button(t(`align.${how}`), () => modeler.get("alignElements").trigger(chosen, how));
    const spread = (how) => button(t(`spread.${how}`), () => modeler.get("distributeElements").trigger(chosen, how));
    return [
      h("p", { class: "panel-kind" }, t("several")),
      h("h2", { tabIndex: -1 }, t("several_count", { number: chosen.length })),
      this.context.maySave && h("div", { class: "button-grid" }, ["left", "center", "right", "top", "middle", "bottom"].map(align), spread("horizontal"), spread("vertical")),
      this.context.maySave && button(t("remove_several"), () => modeler.get("modeling").removeElements([...chosen]), { name: "trash" }),
    ].filter(Boolean);
  }
}
