// The panel of what is done: a person's task, an operation, a rule, a called process, a repetition.
import { is, isAny } from "bpmn-js/lib/util/ModelUtil";
import { isEventSubProcess } from "bpmn-js/lib/util/DiUtil";
import { dueFields } from "./due.js";
import { choiceField, feelField, rowsField, section, severalField, textField, tickField } from "./fields.js";
import { extensionOf, extensionsOf } from "./masar.js";
import { shownName } from "./names.js";
import { t } from "./words.js";

export const labelled = (list) => list.map((one) => [one.id, one.label && one.label !== one.id ? `${one.label} (${one.id})` : one.id]);

export function actSections(view) {
  const { object } = view;
  return [
    isAny(object, ["bpmn:UserTask", "bpmn:ManualTask"]) && ofTask(view),
    is(object, "bpmn:ServiceTask") && ofOperation(view),
    is(object, "bpmn:BusinessRuleTask") && ofRule(view),
    is(object, "bpmn:CallActivity") && ofCall(view),
    is(object, "bpmn:Activity") && !isEventSubProcess(object) && ofRepetition(view),
  ];
}

function ofTask(view) {
  const { object, shape, writer, material, locked, findingsFor } = view;
  const note = extensionOf(object, "masar:Tache");
  const of = (name) => note?.get(name) ?? "";
  const put = (properties) => writer.extension(shape, object, "masar:Tache", properties);
  const agency = view.agencyOf(shape);
  const roles = rolesOf(material.roles, agency, material);
  return section(
    t("section.task"),
    choiceField("form", t("form"), of("form"), labelled(material.forms), (form) => put({ form }), { locked, findings: findingsFor("form") }),
    choiceField("role", t("role"), of("role"), roles, (role) => put({ role }), { locked, findings: findingsFor("role") }),
    dueFields(view, of, put),
    choiceField("presence", t("presence"), of("presence"), material.places.map((one) => [one, t(`place.${one}`)]), (presence) => put({ presence }), { locked, empty: t("place.none"), findings: findingsFor("presence") }),
    choiceField("subject", t("subject"), of("sujet"), view.subjects().map((one) => [one, one]), (sujet) => put({ sujet }), { locked, empty: t("subject_own"), help: t("subject_how") }),
    distinct(view, of("distinct").split(/\s+/).filter(Boolean), (ids) => put({ distinct: ids.join(" ") })),
  );
}

/** Roles to choose from, those of the lane's agency first. */
export function rolesOf(roles, agency, material) {
  const pairs = (list) => list.map((one) => [one.id, one.label]);
  const [ours, others] = [true, false].map((isOurs) => roles.filter((one) => one.agencies.includes(agency) === isOurs));
  return agency ? [{ group: t("roles_of", { agency: material.agencies[agency] }), options: pairs(ours) }, { group: t("roles_elsewhere"), options: pairs(others) }] : pairs(roles);
}

/** Tasks whose doer may not do this one: chosen one by one, each taken off by its button. */
function distinct(view, ids, commit) {
  const tasks = view.tasks().filter((one) => one.id !== view.object.id);
  const nameOf = (id) => tasks.find((one) => one.id === id)?.label ?? t("unknown_value", { value: id });
  const byFile = Object.groupBy ? Object.groupBy(tasks, (one) => one.file) : { "": tasks };
  const options = Object.entries(byFile).map(([file, found]) => ({ group: file.split("/").pop(), options: labelled(found.filter((one) => !ids.includes(one.id))) }));
  return severalField("distinct", t("distinct"), ids, nameOf, options, commit, { locked: view.locked, empty: t("distinct_add"), help: t("distinct_how"), findings: view.findingsFor("distinct") });
}

function ofOperation(view) {
  const { object, shape, writer, material, locked, findingsFor } = view;
  const note = extensionOf(object, "masar:Operation");
  const name = note?.get("nom") ?? "";
  const rows = (note?.get("parametres") ?? []).map((one) => ({ nom: one.get("nom") ?? "", valeur: one.get("valeur") ?? "" }));
  const takes = material.operations.find((one) => one.id === name)?.takes ?? [];
  const put = (nom, list) => writer.extension(shape, object, "masar:Operation", { nom, parametres: list.map((row) => writer.create("masar:Parametre", row)) });
  const asked = (nom) => {
    const wanted = material.operations.find((one) => one.id === nom)?.takes ?? [];
    return wanted.includes("*") ? rows : wanted.map((one) => rows.find((row) => row.nom === one) ?? { nom: one, valeur: "" }).filter((row) => row.valeur || row.nom === "modele");
  };
  const letters = (row, at, change) => row.nom === "modele" && choiceField(`parameter-${at}-valeur`, t("letter"), row.valeur.replace(/^"|"$/g, ""), labelled(material.letters), (id) => change({ valeur: id ? `"${id}"` : "" }), { locked });
  return section(
    t("section.operation"),
    choiceField("operation", t("operation_is"), name, material.operations.map((one) => [one.id, `${one.label} (${one.id})`]), (nom) => (nom ? put(nom, asked(nom)) : writer.extension(shape, object, "masar:Operation", null)), { locked, findings: findingsFor("operation") }),
    name && (takes.length > 0 || rows.length > 0) && rowsField("parameter", t("parameters"), rows, takes.includes("*") ? null : takes, (list) => put(name, list), { ...view, valueField: letters }),
  );
}

function ofRule(view) {
  const { object, shape, writer, material, locked, findingsFor } = view;
  const note = extensionOf(object, "masar:Decision");
  const put = (properties) => writer.extension(shape, object, "masar:Decision", properties);
  return section(
    t("section.rule"),
    choiceField("decision", t("decision"), note?.get("ref"), labelled(material.decisions), (ref) => put({ ref }), { locked, findings: findingsFor("decision") }),
    textField("result", t("result"), note?.get("resultat"), (resultat) => put({ resultat: resultat.trim() }), { dir: "ltr", code: true, locked, help: t("result_how") }),
  );
}

function ofCall(view) {
  const { object, shape, writer, material, modeling, locked, findingsFor } = view;
  const rows = (type) => extensionsOf(object, type).map((one) => ({ nom: one.get("nom") ?? "", valeur: one.get("valeur") ?? "" }));
  const put = (type) => (list) => writer.extensions(shape, object, (values) => [...values.filter((one) => one.$type !== type), ...list.map((row) => writer.create(type, row))]);
  return section(
    t("section.call"),
    choiceField("call", t("called"), object.get("calledElement"), labelled(material.processes), (calledElement) => modeling.updateProperties(shape, { calledElement: calledElement || undefined }), { locked, findings: findingsFor("call") }),
    rowsField("entry", t("entries"), rows("masar:Entree"), null, put("masar:Entree"), view),
    rowsField("exit", t("exits"), rows("masar:Sortie"), null, put("masar:Sortie"), view),
  );
}

function ofRepetition(view) {
  const { object, shape, writer, modeling, locked, findingsFor } = view;
  const loop = object.get("loopCharacteristics");
  const isSeveral = is(loop, "bpmn:MultiInstanceLoopCharacteristics");
  const how = !loop ? "once" : !isSeveral ? "loop" : loop.get("isSequential") ? "each_in_turn" : "each_at_once";
  const choose = (chosen) => {
    const isEach = chosen.startsWith("each");
    if (isEach && isSeveral) return writer.set(shape, loop, { isSequential: chosen === "each_in_turn" });
    const made = chosen === "once" ? undefined : writer.create(isEach ? "bpmn:MultiInstanceLoopCharacteristics" : "bpmn:StandardLoopCharacteristics", isEach ? { isSequential: chosen === "each_in_turn" } : {}, object);
    return modeling.updateProperties(shape, { loopCharacteristics: made });
  };
  const content = [choiceField("repetition", t("repetition"), how, ["once", "each_at_once", "each_in_turn", "loop"].map((one) => [one, t(`repeat.${one}`)]), choose, { empty: null, locked })];
  if (isSeveral) {
    const note = extensionOf(loop, "masar:Collection");
    const put = (properties) => writer.extension(shape, loop, "masar:Collection", properties);
    content.push(
      feelField("collection", t("collection"), note?.get("valeur"), (valeur) => put({ valeur: valeur.trim() }), view, { help: t("collection_how"), findings: findingsFor("collection") }),
      textField("item", t("item"), note?.get("element"), (element) => put({ element: element.trim() }), { dir: "ltr", code: true, locked, help: t("item_how") }),
    );
  } else if (loop) {
    const body = (name) => loop.get(name)?.get?.("body") ?? "";
    const put = (text) => writer.set(shape, loop, { loopCondition: text.trim() ? writer.create("bpmn:FormalExpression", { body: text.trim() }, loop) : undefined });
    content.push(
      feelField("loop", t("loop_while"), body("loopCondition"), put, view, { findings: findingsFor("loop") }),
      textField("turns", t("loop_most"), String(loop.get("loopMaximum") ?? ""), (text) => writer.set(shape, loop, { loopMaximum: /^\d+$/.test(text.trim()) ? Number(text) : undefined }), { dir: "ltr", locked }),
      tickField("before", t("loop_before"), loop.get("testBefore"), (testBefore) => writer.set(shape, loop, { testBefore }), { locked }),
    );
  }
  return section(t("section.repetition"), content);
}

/** Names of the rows that repetitions around an element go through, and those the instance itself begins with. */
export function subjectsAround(shape, known) {
  const around = [];
  for (let at = shape; at; at = at.parent) {
    const loop = at.businessObject?.get?.("loopCharacteristics");
    const name = loop && extensionOf(loop, "masar:Collection")?.get("element");
    if (name) around.push(name);
  }
  return [...new Set([...around, ...known])];
}

export const tasksOf = (modeler, file, language) =>
  modeler.get("elementRegistry").filter((one) => isAny(one, ["bpmn:UserTask", "bpmn:ManualTask"]) && !one.labelTarget).map((one) => ({ id: one.businessObject.id, label: shownName(one.businessObject, language), file }));
