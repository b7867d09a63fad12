// What the chosen cell may hold: the choices of the field its column reads, or the results its column announces, each put in or taken out by a click.
import { h } from "../drawing/fields.js";
import { t } from "../drawing/words.js";
import { namesOf, shownName } from "./names.js";

const TEXT = /"(?:[^"\\]|\\.)*"/g;
const TRUTHS = ["true", "false"];

export class Cells {
  constructor(place, context) {
    Object.assign(this, { place, context });
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.place.querySelector("input:focus") || this.show(this.cell), 60);
  }

  show(cell) {
    this.cell = cell;
    const column = cell?.col?.businessObject;
    const kind = column?.$type;
    if (!cell?.businessObject || (kind !== "dmn:InputClause" && kind !== "dmn:OutputClause")) {
      const decision = this.context.tables.getViews().find((view) => view.element.id === this.context.shown)?.element;
      return this.place.replaceChildren(h("p", { class: "text-soft" }, t("table.values_how")), decision?.$type === "dmn:Decision" ? namesOf(decision, this.context) : "");
    }
    const isInput = kind === "dmn:InputClause";
    const expression = isInput ? (column.inputExpression?.text ?? "").trim() : "";
    const field = this.context.material.fields[expression];
    const values = isInput ? this.values(expression, column.inputExpression?.typeRef) : results(column);
    const said = (cell.businessObject.text ?? "").trim();
    const chosen = new Set(chosenIn(said));
    const toggles = [...(isInput ? [["", t("table.any")]] : []), ...values, ...(isInput && values.length ? [["null", t("table.unknown")]] : [])].map(([value, label]) => {
      const isOn = value ? chosen.has(value) : said === "" || said === "-";
      return h(
        "button",
        { type: "button", class: "btn btn-quiet btn-sm value", "aria-pressed": isOn ? "true" : "false", "data-value": value, disabled: !this.context.maySave, on: { click: () => this.put(cell, isInput, value) } },
        h("span", {}, label),
        value && value !== "null" && !TRUTHS.includes(value) && h("bdi", { class: "code text-soft small", dir: "ltr" }, value),
      );
    });
    this.place.replaceChildren(
      h("h3", {}, shownName(column)),
      expression && h("p", { class: "small" }, `${t("table.reads")} `, h("bdi", { class: "code", dir: "ltr" }, expression), field && h("br"), field && h("span", { class: "text-soft" }, field.label)),
      h("div", { class: "values", role: "group", "aria-label": t("table.values") }, toggles),
      values.length ? "" : h("p", { class: "text-soft small" }, t("table.free")),
      namesOf(column, this.context),
    );
    return undefined;
  }

  /** [FEEL, label] of each value that a column of inputs may hold; none where they cannot be listed. */
  values(expression, type) {
    const field = this.context.material.fields[expression];
    if (field?.values.length) return field.values.map(([code, label]) => [JSON.stringify(code), label]);
    const results_ = this.context.material.decisions[expression];
    if (results_) return results_.map((one) => [one, one.replace(/^"|"$/g, "")]);
    if (field?.type === "bool" || field?.type === "tri" || type === "boolean") return TRUTHS.map((one) => [one, t(`table.${one}`)]);
    return [];
  }

  put(cell, isInput, value) {
    const said = (cell.businessObject.text ?? "").trim();
    let text = value;
    if (isInput && value) {
      const chosen = chosenIn(said);
      const rest = chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value];
      text = rest.length ? rest.join(", ") : "-";
    } else if (isInput) text = "-";
    this.context.tables.getActiveViewer().get("modeling").editCell(cell.businessObject, text);
    this.show(cell);
    this.place.querySelector(`[data-value="${CSS.escape(value)}"]`)?.focus();
  }
}

/** The values that a cell lists; none where it says anything else. */
function chosenIn(said) {
  const found = said.match(TEXT) ?? [];
  if (found.length && said.replace(TEXT, "").replace(/[\s,]/g, "") === "") return found;
  const words = said.split(",").map((one) => one.trim());
  return words.every((one) => [...TRUTHS, "null"].includes(one)) ? words : [];
}

function results(column) {
  const listed = column.outputValues?.text?.match(TEXT) ?? [];
  if (listed.length) return listed.map((one) => [one, one.replace(/^"|"$/g, "")]);
  return column.typeRef === "boolean" ? TRUTHS.map((one) => [one, t(`table.${one}`)]) : [];
}
