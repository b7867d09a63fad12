// The panel of what any element has: names, kind, lane, what follows it, colour, id. All that the mouse does on the canvas can be done here by keyboard.
import { getDi, is, isAny } from "bpmn-js/lib/util/ModelUtil";
import { button, choiceField, h, section, textField, tickField } from "./fields.js";
import { kindOf, kindsAfter, kindsFor, kindsOnEdge, targetOf } from "./kinds.js";
import { extensionOf } from "./masar.js";
import { LANGUAGES, nameOf, shownName, writeName } from "./names.js";
import { t } from "./words.js";

const DIRECTION = { fr: "ltr", ar: "rtl", en: "ltr" };
const LONGEST = 200;
const ID = /^[\p{L}_][\p{L}\p{N}_.-]{0,149}$/u;
// Fills and strokes that Camunda and bpmn.io know too; dark text is read on each.
const COLOURS = { none: [undefined, undefined], blue: ["#BBDEFB", "#0D4372"], orange: ["#FFE0B2", "#6B3C00"], green: ["#C8E6C9", "#205022"], red: ["#FFCDD2", "#831311"], purple: ["#E1BEE7", "#5B176D"] };

export function nameSections(view) {
  const { object, shape, writer, modeling, locked, findingsFor } = view;
  if (is(object, "bpmn:Lane")) return [section(t("section.names"), lane(view))];
  if (is(object, "bpmn:TextAnnotation")) return [section(t("section.names"), textField("text", t("note"), object.get("text"), (text) => modeling.updateProperties(shape, { text }), { rows: 3, locked }))];
  if (!isAny(object, ["bpmn:FlowElement", "bpmn:Participant", "bpmn:Process"]) || is(object, "bpmn:DataObject")) return [];
  const process = is(object, "bpmn:Participant") ? object.get("processRef") : null;
  const put = (language) => (text) =>
    writer.together(() => {
      writeName(writer, modeling, shape, object, language, text);
      if (process) writeName(writer, modeling, shape, process, language, text);
    });
  const found = findingsFor("name");
  const missing = LANGUAGES.find((one) => !nameOf(object, one));
  const fields = LANGUAGES.map((one) => textField(`name-${one}`, t(`name.${one}`), nameOf(object, one), put(one), { dir: DIRECTION[one], lang: one, locked, longest: LONGEST, findings: one === (missing ?? "fr") ? found : [] }));
  return [section(t("section.names"), fields)];
}

/** A lane is an agency: its names are known. */
function lane(view) {
  const { object, shape, writer, modeling, material, locked, findingsFor } = view;
  const put = (id) => {
    const chosen = material.lanes.find((one) => one.id === id);
    if (chosen) writer.together(() => LANGUAGES.forEach((one) => writeName(writer, modeling, shape, object, one, one === "fr" ? id : chosen.names[one])));
  };
  return choiceField("lane-name", t("lane_is"), object.get("name"), material.lanes.map((one) => [one.id, `${material.agencies[one.agency]}${one.id === material.agencies[one.agency] ? "" : ` (${one.id})`}`]), put, { locked, findings: findingsFor("lane") });
}

export function placeSections(view) {
  const { object, shape, modeler, locked } = view;
  if (locked || !shape.parent) return [];
  const modeling = modeler.get("modeling");
  const kinds = kindsFor(shape);
  const named = (list) => list.map((one) => [one, t(`kind.${one}`)]);
  const change = (kind) => kind && view.select(modeler.get("bpmnReplace").replaceElement(shape, kind === "SubProcess" && kindOf(shape) === "EventSubProcess" ? { ...targetOf(kind), triggeredByEvent: false } : targetOf(kind)));
  const lanes = view.lanesFor(shape);
  const [after, edges] = [kindsAfter(shape), kindsOnEdge(shape)];
  const targets = after.length ? modeler.get("elementRegistry").filter((one) => one !== shape && !one.labelTarget && is(one, "bpmn:FlowNode") && modeler.get("rules").allowed("connection.create", { source: shape, target: one })) : [];
  return [
    section(
      t("section.place"),
      kinds.length > 1 && choiceField("kind", t("kind_is"), kindOf(shape), named(kinds), change, { empty: null, act: t("kind_do") }),
      lanes.length > 0 && choiceField("lane", t("lane_in"), view.laneOf(shape)?.id ?? "", lanes.map((one) => [one.id, view.outline.laneName(one.businessObject)]), (id) => id && view.moveTo(shape, id), { findings: view.findingsFor("lane") }),
      after.length > 0 && choiceField("after", t("add_after"), "", named(after), (kind) => kind && view.addAfter(shape, kind), { empty: t("add_choose"), act: t("row_add") }),
      edges.length > 0 && choiceField("edge", t("add_edge"), "", named(edges), (kind) => kind && view.addEdge(shape, kind), { empty: t("add_choose"), act: t("row_add") }),
      leads(view, targets),
      isAny(object, ["bpmn:Participant", "bpmn:Lane"]) && button(t("add_lane"), () => view.select(modeling.addLane(shape, "bottom")), { name: "plus-lg", "data-key": "add-lane" }),
      button(t("remove_one"), () => modeling.removeElements([shape]), { name: "trash", "data-key": "remove" }),
    ),
  ];
}

/** Where a step leads: each way is opened or taken off by its button, one more is drawn to what is chosen. */
function leads({ shape, modeler, modeling, look, select }, targets) {
  const nameOfWay = (flow) => [shownName(flow.target.businessObject, look.language), nameOf(flow.businessObject, look.language)].filter(Boolean).join(" · ");
  const chips = (shape.outgoing ?? []).filter((one) => is(one, "bpmn:SequenceFlow")).map((flow) =>
    h("li", { class: "chip" }, button(nameOfWay(flow), () => select(flow), { class: "chip-on", title: t("way_open"), "data-key": `way-${flow.id}` }), button(t("take_off", { name: nameOfWay(flow) }), () => modeling.removeConnection(flow), { name: "x-lg", class: "chip-off" })));
  if (!chips.length && !targets.length) return null;
  const options = targets.map((one) => [one.id, shownName(one.businessObject, look.language)]);
  const field = choiceField("connect", t("connect_to"), "", options, (id) => id && modeling.connect(shape, modeler.get("elementRegistry").get(id)), { empty: t("connect_choose"), act: t("connect_do") });
  if (chips.length) field.querySelector(".choice-act").before(h("ul", { class: "plain chips" }, chips));
  return field;
}

export function lookSections(view) {
  const { object, shape, writer, modeler, modeling, locked, findingsFor } = view;
  if (is(object, "bpmn:Collaboration")) return [];
  const fill = getDi(shape)?.get("background-color") ?? getDi(shape)?.get("bioc:fill");
  const present = Object.entries(COLOURS).find(([, [one]]) => one?.toLowerCase() === fill?.toLowerCase())?.[0] ?? (fill ? "" : "none");
  const swatches = Object.entries(COLOURS).map(([name, [background, stroke]]) => {
    const input = h("input", { type: "radio", class: "btn-check", name: "colour", id: `colour-${name}`, value: name, checked: name === present, disabled: locked, "data-key": `colour-${name}` });
    input.addEventListener("change", () => modeling.setColor([shape], { fill: background, stroke }));
    return [input, h("label", { class: `swatch swatch-${name}`, htmlFor: input.id, title: t(`colour.${name}`) }, h("span", { class: "visually-hidden" }, t(`colour.${name}`)))];
  });
  const document = object.get("documentation")?.[0];
  const describe = (text) => writer.set(shape, object, { documentation: text.trim() ? [writer.create("bpmn:Documentation", { text }, object)] : [] });
  const rename = (text) => {
    const id = text.trim();
    const isTaken = id !== object.id && modeler.get("moddle").ids.assigned(id);
    if (!ID.test(id) || isTaken) return view.announce(t(isTaken ? "id_taken" : "id_unfit", { id }));
    return modeling.updateProperties(shape, { id });
  };
  const more = h(
    "details",
    { class: "fold" },
    h("summary", {}, t("section.more")),
    textField("id", t("id"), object.id, rename, { dir: "ltr", code: true, locked: locked || isAny(object, ["bpmn:Process"]), help: t("id_how"), findings: findingsFor("id") }),
    textField("documentation", t("documentation"), document?.get("text"), describe, { rows: 3, locked }),
  );
  more.open = view.isMoreOpen();
  more.addEventListener("toggle", () => view.isMoreOpen(more.open));
  return [
    section(
      t("section.look"),
      Boolean(shape.parent) && !is(object, "bpmn:SequenceFlow") && h("fieldset", { class: "field" }, h("legend", { class: "form-label" }, t("colour_is")), h("div", { class: "swatches" }, swatches)),
      isAny(object, ["bpmn:FlowElement", "bpmn:Process"]) && tickField("inferred", t("inferred"), extensionOf(object, "masar:Infere"), (value) => writer.extension(shape, object, "masar:Infere", value ? {} : null, true), { locked }),
      more,
    ),
  ];
}
