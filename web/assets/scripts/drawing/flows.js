// The panel of what is waited for or sent, and of the ways out.
import { is, isAny } from "bpmn-js/lib/util/ModelUtil";
import { isEventSubProcess } from "bpmn-js/lib/util/DiUtil";
import { labelled, rolesOf } from "./acts.js";
import { button, choiceField, feelField, h, rowsField, section, severalField, textField, tickField } from "./fields.js";
import { eventOf } from "./kinds.js";
import { extensionOf } from "./masar.js";
import { shownName } from "./names.js";
import { t } from "./words.js";

const NEW = "+";

export function eventSections(view) {
  const { object } = view;
  const event = is(object, "bpmn:Event") ? eventOf(object) : isAny(object, ["bpmn:SendTask", "bpmn:ReceiveTask"]) ? "message" : "none";
  const make = { message: ofMessage, timer: ofTimer, condition: ofCondition, signal: ofRoot, error: ofRoot, escalation: ofRoot, link: ofLink }[event];
  return [make?.(view, event), ofUnforeseen(view, event), ofInterruption(view, event)];
}

/** A name among those in use, or a new one typed in its place. */
function nameChoice(key, label, value, known, commit, { locked, ...more }) {
  const options = [...new Set([...known, ...(value ? [value] : [])])].map((one) => [one, one]);
  const field = choiceField(key, label, value, locked ? options : [...options, [NEW, t("new_name")]], (chosen) => {
    if (chosen !== NEW) return commit(chosen);
    const typing = textField(key, label, "", (text) => text.trim() && commit(text.trim()), { dir: "ltr", code: true, help: t("new_name_how") });
    field.replaceWith(typing);
    return typing.querySelector("input").focus();
  }, { locked, ...more });
  return field;
}

function ofMessage(view) {
  const { object, shape, writer, material, locked, findingsFor } = view;
  const note = extensionOf(object, "masar:Message");
  const definition = object.get("eventDefinitions")?.[0] ?? object;
  const name = note?.get("nom") ?? definition.get("messageRef")?.get("name") ?? "";
  const isSent = isAny(object, ["bpmn:SendTask", "bpmn:EndEvent", "bpmn:IntermediateThrowEvent"]);
  const rows = (note?.get("parametres") ?? []).map((one) => ({ nom: one.get("nom") ?? "", valeur: one.get("valeur") ?? "" }));
  const put = (properties) => writer.extension(shape, object, "masar:Message", { nom: name, ...properties });
  return section(
    t(isSent ? "section.sent" : "section.awaited"),
    nameChoice("event", t("message"), name, view.messages(), (nom) => put({ nom }), { locked, findings: findingsFor("event") }),
    feelField("key", t("message_key"), note?.get("cle"), (cle) => put({ cle: cle.trim() }), view, { help: t(isSent ? "message_to" : "message_for") }),
    !isSent && textField("payload", t("message_result"), note?.get("resultat"), (resultat) => put({ resultat: resultat.trim() }), { dir: "ltr", code: true, locked }),
    isSent && rowsField("parameter", t("message_holds"), rows, null, (list) => put({ parametres: list.map((row) => writer.create("masar:Parametre", row)) }), view),
  );
}

/** A process that runs beside a case: whether it does, who may begin it from the case's page and what is asked of them, of which cases. */
function ofUnforeseen(view, event) {
  const { object, shape, writer, material, locked, findingsFor } = view;
  const note = extensionOf(object, "masar:Imprevu");
  if (!note && !(event === "message" && is(object, "bpmn:StartEvent") && is(object.$parent, "bpmn:Process"))) return null;
  const put = (properties) => writer.extension(shape, object, "masar:Imprevu", properties, true);
  const content = [tickField("unforeseen", t("unforeseen"), note, (value) => put(value ? {} : null), { locked, help: t("unforeseen_how"), findings: findingsFor("unforeseen") })];
  if (note) {
    const ids = (note.get("roles") ?? "").split(/\s+/).filter(Boolean);
    const nameOf = (id) => material.roles.find((one) => one.id === id)?.label ?? t("unknown_value", { value: id });
    const roles = rolesOf(material.roles.filter((one) => !ids.includes(one.id)), view.agencyOf(shape), material);
    content.push(
      severalField("role", t("unforeseen_by"), ids, nameOf, roles, (chosen) => put({ roles: chosen.join(" ") }), { locked, empty: t("unforeseen_add"), help: t(ids.length ? "unforeseen_by_how" : "unforeseen_by_none"), findings: findingsFor("role") }),
      choiceField("form", t("unforeseen_form"), note.get("form"), labelled(material.forms), (form) => put({ form }), { locked, empty: t("unforeseen_asks_nothing"), findings: findingsFor("form") }),
      choiceField("cases", t("unforeseen_on"), note.get("sur") ?? "ouvert", ["ouvert", "clos", "tout"].map((one) => [one, t(`unforeseen_of.${one}`)]), (sur) => put({ sur: sur === "ouvert" ? "" : sur }), { locked, empty: null }),
      tickField("alone", t("unforeseen_alone"), note.get("seul") !== "non", (value) => put({ seul: value ? "" : "non" }), { locked }),
    );
  }
  return section(t("section.unforeseen"), content);
}

function ofTimer(view) {
  const { object, shape, writer, locked, findingsFor } = view;
  const definition = object.get("eventDefinitions")[0];
  const kinds = ["timeDuration", "timeDate", "timeCycle"];
  const kind = kinds.find((one) => definition.get(one)) ?? view.timerKind?.get(object.id) ?? "timeDuration";
  const body = definition.get(kind)?.get("body") ?? "";
  const put = (chosen, text) => writer.set(shape, definition, Object.fromEntries(kinds.map((one) => [one, one === chosen && text.trim() ? writer.create("bpmn:FormalExpression", { body: text.trim() }, definition) : undefined])));
  return section(
    t("section.timer"),
    choiceField("timer-kind", t("timer_kind"), kind, kinds.map((one) => [one, t(`timer.${one}`)]), (chosen) => {
      view.timerKind.set(object.id, chosen);
      put(chosen, body);
    }, { empty: null, locked }),
    feelField("timer", t("timer_value"), body, (text) => put(kind, text), view, { help: t(`timer_how.${kind}`), findings: findingsFor("timer") }),
  );
}

function ofCondition(view) {
  const { object, shape, writer, findingsFor } = view;
  const definition = object.get("eventDefinitions")[0];
  const put = (text) => writer.set(shape, definition, { condition: text.trim() ? writer.create("bpmn:FormalExpression", { body: text.trim() }, definition) : undefined });
  return section(t("section.condition"), feelField("condition", t("condition"), definition.get("condition")?.get("body"), put, view, { findings: findingsFor("condition") }));
}

const ROOTS = { signal: ["bpmn:Signal", "name", "signals"], error: ["bpmn:Error", "errorCode", "errors"], escalation: ["bpmn:Escalation", "escalationCode", "escalations"] };

/** Signals, errors and escalations are named at the head of the file; the event refers to them. */
function ofRoot(view, event) {
  const { object, shape, writer, material, modeler, locked, findingsFor } = view;
  const [type, by, list] = ROOTS[event];
  const definition = object.get("eventDefinitions")[0];
  const reference = `${event}Ref`;
  const file = modeler.getDefinitions();
  const here = file.get("rootElements").filter((one) => is(one, type));
  const choose = (value) => {
    if (!value) return writer.set(shape, definition, { [reference]: undefined });
    const found = here.find((one) => one.get(by) === value);
    if (found) return writer.set(shape, definition, { [reference]: found });
    const made = writer.create(type, { id: modeler.get("moddle").ids.nextPrefixed(`${event}_`), name: value, [by]: value }, file);
    return writer.together(() => {
      writer.set(shape, file, { rootElements: [made, ...file.get("rootElements")] });
      writer.set(shape, definition, { [reference]: made });
    });
  };
  return section(t(`section.${event}`), nameChoice("event", t("event_name"), definition.get(reference)?.get(by), [...here.map((one) => one.get(by)), ...material[list]].filter(Boolean), choose, { locked, findings: findingsFor("event") }));
}

function ofLink(view) {
  const { object, shape, writer, locked, findingsFor } = view;
  const definition = object.get("eventDefinitions")[0];
  return section(t("section.link"), textField("event", t("link_name"), definition.get("name"), (name) => writer.set(shape, definition, { name: name.trim() }), { locked, help: t("link_how"), findings: findingsFor("event") }));
}

function ofInterruption(view, event) {
  const { object, shape, modeling, locked } = view;
  const isEdge = is(object, "bpmn:BoundaryEvent");
  if (!(isEdge || (is(object, "bpmn:StartEvent") && isEventSubProcess(object.$parent))) || event === "error") return null;
  const name = isEdge ? "cancelActivity" : "isInterrupting";
  return section(t("section.interruption"), tickField("interrupts", t(isEdge ? "interrupts_act" : "interrupts_process"), object.get(name) !== false, (value) => modeling.updateProperties(shape, { [name]: value }), { locked }));
}

const CHOOSES = ["bpmn:ExclusiveGateway", "bpmn:InclusiveGateway", "bpmn:Activity"];

export function flowSections(view) {
  const { object, shape } = view;
  if (is(object, "bpmn:SequenceFlow")) {
    if (!isAny(object.get("sourceRef"), CHOOSES)) return [];
    return [section(t("section.way"), way(view, shape, ""))];
  }
  const out = tried(shape);
  if (!isAny(object, CHOOSES) || out.length < 2) return [];
  const ways = out.map((flow, at) => h("fieldset", { class: "way" }, h("legend", {}, t("way_to", { number: at + 1, name: shownName(flow.target.businessObject, view.look.language) })), way(view, flow, `-${at}`), earlier(view, out, at)));
  return [section(t("section.ways"), ways)];
}

/** The ways out in the order in which their conditions are tried, which is that of the list that the file keeps; the default comes last. */
function tried(shape) {
  const object = shape.businessObject;
  const listed = object.get("outgoing") ?? [];
  const rank = ({ businessObject }) => (object.get("default") === businessObject ? listed.length : listed.indexOf(businessObject));
  return (shape.outgoing ?? []).filter((one) => is(one, "bpmn:SequenceFlow")).sort((one, other) => rank(one) - rank(other));
}

/** Of a choice that takes the first condition that holds, a way is tried before the one above it. */
function earlier({ object, shape, modeling, locked }, out, at) {
  if (locked || at === 0 || !is(object, "bpmn:ExclusiveGateway") || object.get("default") === out[at].businessObject) return null;
  const outgoing = out.map((one) => one.businessObject);
  outgoing.splice(at - 1, 2, outgoing[at], outgoing[at - 1]);
  return button(t("way_earlier"), () => modeling.updateProperties(shape, { outgoing }), { "data-key": `earlier-${at}` });
}

/** The condition of a flow, or that it is taken when no other is. */
function way(view, flow, mark) {
  const { modeling, writer, locked } = view;
  const object = flow.businessObject;
  const source = object.get("sourceRef");
  const isDefault = source.get("default") === object;
  const found = mark ? view.findings.of(flow) : view.findingsFor("condition");
  const makeDefault = (value) =>
    writer.together(() => {
      modeling.updateProperties(flow.source, { default: value ? object : undefined });
      if (value && object.get("conditionExpression")) modeling.updateProperties(flow, { conditionExpression: undefined });
    });
  const put = (text) => modeling.updateProperties(flow, { conditionExpression: text.trim() ? writer.create("bpmn:FormalExpression", { body: text.trim() }, object) : undefined });
  return [
    !isDefault && feelField(`condition${mark}`, t("condition"), object.get("conditionExpression")?.get("body"), put, view, { findings: found }),
    tickField(`default${mark}`, t("is_default"), isDefault, makeDefault, { locked }),
  ];
}
