// By when a person's task is to be done: so long after it opens, or by a date of the case, so many days before or after it.
import { choiceField, feelField, h, textField } from "./fields.js";
import { t } from "./words.js";

const WRITTEN = "=";
const HOURS = "heures_ouvrees";

/** The fields of a task's note (`of(name)` reads, `put(properties)` writes): delay, date, days before or after it. */
export function dueFields(view, of, put) {
  return [deadline(view, of, put), date(view, of, put), of("echeance") && of("unite") !== HOURS && shift(view, of, put)];
}

function choice(key, label, values, value, words, commit, locked) {
  const control = h("select", { class: "form-select", "aria-label": label, disabled: locked, "data-key": key }, values.map((one) => h("option", { value: one, selected: one === value }, words(one))));
  control.addEventListener("change", () => commit(control.value));
  return control;
}

/** A number and what it counts, on one line. */
function pair(field, beside) {
  const number = field.querySelector("input");
  number.inputMode = "numeric";
  const line = h("div", { class: "number-unit" });
  number.replaceWith(line);
  line.append(number, beside);
  return field;
}

function deadline({ material, locked, findingsFor }, of, put) {
  const unit = choice("unit", t("unit_is"), material.units, of("unite") || "jours", (one) => t(`unit.${one}`), (unite) => put(unite === HOURS ? { unite, ecart: "" } : { unite }), locked);
  const write = (text) => put(text.trim() ? { delai: text.trim(), unite: of("unite") || unit.value } : { delai: "", unite: of("ecart") ? of("unite") : "" });
  return pair(textField("deadline", t("deadline"), of("delai"), write, { dir: "ltr", locked, help: t(of("echeance") ? "deadline_else" : "deadline_how"), findings: findingsFor("deadline") }), unit);
}

/** A date of the dictionary, or what is written in FEEL in place of one. */
function date(view, of, put) {
  const { material, locked, findingsFor } = view;
  const value = of("echeance");
  const groups = Map.groupBy ? Map.groupBy(material.dates, (one) => one.group) : new Map([["", material.dates]]);
  const options = [...groups].map(([group, dates]) => ({ group, options: dates.map((one) => [one.id, one.label]) }));
  const isWritten = Boolean(value) && !material.dates.some((one) => one.id === value);
  const text = (findings) => feelField("due-text", t("due_text"), isWritten ? value : "", (echeance) => put({ echeance: echeance.trim(), ...(echeance.trim() ? {} : { ecart: "" }) }), view, { help: t("due_text_how"), findings });
  const field = choiceField("due", t("due"), isWritten ? WRITTEN : value, [...options, [WRITTEN, t("due_written")]], (chosen) => {
    if (chosen !== WRITTEN) return put({ echeance: chosen, ...(chosen ? {} : { ecart: "" }) });
    const typing = text([]);
    field.after(typing);
    return typing.querySelector("textarea").focus();
  }, { locked, empty: t("due_none"), help: t("due_how"), findings: isWritten ? [] : findingsFor("due") });
  return isWritten ? [field, text(findingsFor("due"))] : field;
}

function shift({ locked, findingsFor }, of, put) {
  const side = choice("side", t("side_is"), ["before", "after"], of("ecart") && !of("ecart").startsWith("-") ? "after" : "before", (one) => t(`side.${one}`), () => write(number.value), locked);
  const write = (text) => put({ ecart: /^0*$/.test(text.trim()) ? "" : `${side.value === "before" ? "-" : ""}${text.trim()}`, ...(of("unite") ? {} : { unite: "jours" }) });
  const field = pair(textField("shift", t("shift", { unit: t(`unit.${of("unite") || "jours"}`) }), of("ecart").replace(/^-/, ""), write, { dir: "ltr", locked, help: t("shift_how"), findings: findingsFor("shift") }), side);
  const number = field.querySelector("input");
  return field;
}
