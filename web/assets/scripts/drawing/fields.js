// The controls of the panel: native ones, each with its label. A control says what was chosen when it changes; a text also when typing rests.
import { t } from "./words.js";

const REST = 700;
let counted = 0;

/** An element: properties are set, `data`/`aria-` and other attributes by name, children appended; what is null or false is left out. */
export function h(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
    else if (name === "class") made.className = value;
    else if (name in made && !name.includes("-") && name !== "list" && name !== "form") made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export function icon(name, points = false) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", points ? "icon icon-points" : "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${document.querySelector("[data-icons]").dataset.icons}#${name}`);
  svg.append(use);
  return svg;
}

export const button = (words, act, { name = "", quiet = true, ...more } = {}) =>
  h("button", { type: "button", class: `btn btn-sm ${quiet ? "btn-quiet" : "btn-primary"}`, on: { click: act }, ...more }, name && icon(name), name && " ", words);

/** What helps with a control, and what is wrong with it, told to whoever sees and whoever hears. */
function notesOf(control, { help, findings = [] }) {
  const notes = [];
  if (help) notes.push(h("p", { class: "form-text", id: `${control.id}-help` }, help));
  if (findings.length) notes.push(...findings.map((one, at) => h("p", { class: `field-${one.severity}`, id: `${control.id}-found-${at}` }, icon(one.severity === "error" ? "exclamation-octagon" : "exclamation-triangle"), " ", one.sentence)));
  if (notes.length) control.setAttribute("aria-describedby", notes.map((one) => one.id).join(" "));
  if (findings.some((one) => one.severity === "error")) {
    control.classList.add("is-invalid");
    control.setAttribute("aria-invalid", "true");
  }
  return notes;
}

function labelled(key, label, control, more = {}) {
  control.id ||= `f-${key}-${(counted += 1)}`;
  control.dataset.key = key;
  return h("div", { class: "field" }, h("label", { class: "form-label", htmlFor: control.id }, label), control, notesOf(control, more));
}

/** A line or, with `rows`, several, of text. `commit(text)`. */
export function textField(key, label, value, commit, { rows = 0, dir = "auto", lang, code = false, locked = false, ...more } = {}) {
  let timer;
  let last = value ?? "";
  const control = h(rows ? "textarea" : "input", {
    class: `form-control${code ? " code" : ""}`, dir, lang, rows: rows || null, type: rows ? null : "text", spellcheck: !code, autocomplete: "off", readOnly: locked, maxLength: more.longest ?? 2000,
  });
  control.value = last;
  const tell = () => {
    clearTimeout(timer);
    if (control.value === last) return;
    last = control.value;
    commit(last);
  };
  control.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(tell, REST);
  });
  control.addEventListener("change", tell);
  return labelled(key, label, control, more);
}

/**
 * `options`: [value, label] or { group, options }. A value that is not among them is shown, and said not to exist. Whoever goes through the options by
 * keyboard has chosen when she rests or goes on; with `act` (the word of its button), something is done, and only once she says so.
 */
export function choiceField(key, label, value, options, commit, { empty = t("choose"), locked = false, act = "", ...more } = {}) {
  const known = options.flatMap((one) => (one.options ? one.options : [one])).some(([one]) => one === (value ?? ""));
  const option = ([one, words]) => h("option", { value: one, selected: one === (value ?? "") }, words);
  const control = h(
    "select",
    { class: "form-select", disabled: locked },
    empty !== null && h("option", { value: "", selected: !value }, empty),
    value && !known && h("option", { value, selected: true }, t("unknown_value", { value })),
    options.map((one) => (one.options ? h("optgroup", { label: one.group }, one.options.map(option)) : option(one))),
  );
  let timer;
  let isKeyed = false;
  const tell = () => {
    clearTimeout(timer);
    delete control.dataset.pending;
    if (control.isConnected) commit(control.value);
  };
  control.addEventListener("change", () => {
    if (!act && !isKeyed) return tell();
    control.dataset.pending = "yes";
    clearTimeout(timer);
    if (!act) timer = setTimeout(tell, REST);
    return undefined;
  });
  control.addEventListener("pointerdown", () => (isKeyed = false));
  control.addEventListener("keydown", (event) => {
    isKeyed = true;
    if (event.key !== "Enter" || !control.dataset.pending) return;
    event.preventDefault();
    tell();
  });
  if (!act) control.addEventListener("blur", () => control.dataset.pending && tell());
  const field = labelled(key, label, control, more);
  if (act && !locked) {
    const line = h("div", { class: "choice-act" });
    control.replaceWith(line);
    line.append(control, button(act, tell, { "data-key": `${key}-do` }));
  }
  return field;
}

/** Several chosen one by one, each taken off by its button. `nameOf(id)`; `options` as `choiceField`'s, without those chosen. */
export function severalField(key, label, ids, nameOf, options, commit, { locked, ...more }) {
  const field = choiceField(key, label, "", options, (id) => id && commit([...ids, id]), { locked, act: t("row_add"), ...more });
  const chips = ids.map((id) => h("li", { class: "chip" }, h("span", {}, h("bdi", {}, nameOf(id)), " ", h("code", {}, id)), !locked && button(t("take_off", { name: nameOf(id) }), () => commit(ids.filter((one) => one !== id)), { name: "x-lg", class: "chip-off" })));
  if (chips.length) field.querySelector(".form-label").after(h("ul", { class: "plain chips" }, chips));
  return field;
}

export function tickField(key, label, value, commit, { locked = false, help, findings = [] } = {}) {
  const control = h("input", { type: "checkbox", class: "form-check-input", checked: Boolean(value), disabled: locked, id: `f-${key}-${(counted += 1)}` });
  control.dataset.key = key;
  control.addEventListener("change", () => commit(control.checked));
  return h("div", { class: "form-check" }, control, h("label", { class: "form-check-label", htmlFor: control.id }, label), notesOf(control, { help, findings }));
}

/** FEEL: a text in which a field of the dictionary is put where the caret stands. */
export function feelField(key, label, value, commit, context, options = {}) {
  const field = textField(key, label, value, commit, { rows: 2, dir: "ltr", code: true, locked: context.locked, ...options });
  if (context.locked) return field;
  const control = field.querySelector("textarea");
  const search = h("input", { class: "form-control form-control-sm", type: "search", autocomplete: "off", "aria-label": t("field_search"), placeholder: t("field_search"), "data-key": `${key}-search` });
  search.setAttribute("list", "masar-fields");
  search.addEventListener("input", () => {
    if (!context.material.fields.some((one) => one.id === search.value)) return;
    const [from, to] = [control.selectionStart, control.selectionEnd];
    control.setRangeText(search.value, from, to, "end");
    search.value = "";
    control.focus();
    control.dispatchEvent(new Event("input"));
  });
  field.append(search);
  return field;
}

/** Rows of name and expression: parameters, entries, results. `names`: what may be chosen, null for any. */
export function rowsField(key, label, rows, names, commit, context) {
  const list = rows.map((row, at) => {
    const change = (what) => commit(rows.map((one, place) => (place === at ? { ...one, ...what } : one)));
    const named = t("row_name", { number: at + 1 });
    const options = (names ?? []).map((one) => [one, one]);
    return h(
      "li",
      { class: "row-of" },
      names ? choiceField(`${key}-${at}-nom`, named, row.nom, options, (nom) => change({ nom }), { locked: context.locked }) : textField(`${key}-${at}-nom`, named, row.nom, (nom) => change({ nom: nom.trim() }), { dir: "ltr", code: true, locked: context.locked }),
      context.valueField?.(row, at, change) ?? feelField(`${key}-${at}-valeur`, t("row_value", { number: at + 1 }), row.valeur, (valeur) => change({ valeur }), context),
      !context.locked && button(t("row_remove"), () => commit(rows.filter((_, place) => place !== at)), { name: "trash" }),
    );
  });
  const next = names ? names.find((one) => !rows.some((row) => row.nom === one)) : "";
  return h(
    "fieldset",
    { class: "field" },
    h("legend", { class: "form-label" }, label),
    list.length ? h("ol", { class: "plain stack-tight" }, list) : h("p", { class: "form-text" }, t("row_none")),
    !context.locked && next !== undefined && button(t("row_add"), () => commit([...rows, { nom: next, valeur: "" }]), { name: "plus-lg", "data-key": `${key}-add` }),
  );
}

/** A part of the panel with its title; without content, nothing. */
export function section(title, ...content) {
  const inside = content.flat(9).filter(Boolean);
  return inside.length ? h("section", {}, h("h3", {}, title), inside) : null;
}
