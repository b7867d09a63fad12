// Names of tables and of their columns in three languages in one file, as diagrams have them: French is what every tool reads (`name`, `label`), `masar:libelle`
// the others. A table is shown with those of its reader; the model never changes when one looks.
import InputCell from "dmn-js-decision-table/lib/features/decision-table-head/editor/components/InputCell";
import OutputCell from "dmn-js-decision-table/lib/features/decision-table-head/editor/components/OutputCell";
import Properties from "dmn-js-decision-table/lib/features/decision-table-properties/components/DecisionTablePropertiesEditorComponent";
import DrdRenderer from "dmn-js-drd/lib/draw/DrdRenderer";
import { h, textField } from "../drawing/fields.js";
import { language, t } from "../drawing/words.js";

const LANGUAGES = ["fr", "ar", "en"];
const DIRECTION = { fr: "ltr", ar: "rtl", en: "ltr" };
const LIBELLE = "masar:libelle";
const MASAR = "urn:masar:bpmn:1";
const BEFORE_DMN_JS = 1500;
const AFTER_DMN_JS = 500;
const LONGEST = 200;

const own = (object) => (object.$type === "dmn:Decision" ? "name" : "label");
const beside = (object) => object.extensionElements?.values ?? [];
const labelOf = (object, lang) => beside(object).find((one) => one.$type === LIBELLE && one.lang === lang);

export const nameOf = (object, lang) => ((lang === "fr" ? object.get(own(object)) : labelOf(object, lang)?.$body) ?? "").trim();

/** The name in the reader's language, else in French, else what stands for one. */
export const shownName = (object) => nameOf(object, language()) || nameOf(object, "fr") || object.name || object.inputExpression?.text || object.id;

function write(services, object, lang, text) {
  const value = text.replace(/\s+/g, " ").trim();
  if (value === nameOf(object, lang)) return;
  const moddle = services.get("moddle");
  const set = (properties) => services.get("commandStack").execute("element.updateProperties", { element: object, properties });
  if (lang === "fr") return void set({ [own(object)]: value || undefined });
  const was = labelOf(object, lang);
  const rest = beside(object).filter((one) => one !== was);
  const made = value ? [moddle.createAny(LIBELLE, MASAR, { lang, $body: value })] : [];
  const values = [...rest, ...made];
  const holder = values.length ? moddle.create("dmn:ExtensionElements", { values }) : undefined;
  if (holder) holder.$parent = object;
  for (const one of values) one.$parent = holder;
  set({ extensionElements: holder });
}

/** The three names of a table or of a column, to be typed. */
export function namesOf(object, { tables, maySave }) {
  const field = (one) =>
    textField(`name-${one}`, t(`name.${one}`), nameOf(object, one), (text) => write(tables.getActiveViewer(), object, one, text), { dir: DIRECTION[one], lang: one, locked: !maySave, longest: LONGEST });
  return h("section", { class: "stack-tight" }, h("h3", {}, t(object.$type === "dmn:Decision" ? "table.names" : "table.column_names")), LANGUAGES.map(field));
}

/** While `act` runs, a table or a column answers to its name in the reader's language. */
function under(object, act) {
  const shown = nameOf(object, language());
  if (language() === "fr" || !shown) return act();
  const name = own(object);
  const kept = Object.getOwnPropertyDescriptor(object, name);
  Object.defineProperty(object, name, { value: shown, configurable: true, enumerable: true, writable: true });
  try {
    return act();
  } finally {
    if (kept) Object.defineProperty(object, name, kept);
    else delete object[name];
  }
}

class Input extends InputCell {
  render() {
    return under(this.props.input, () => super.render());
  }
}

class Output extends OutputCell {
  render() {
    return under(this.props.output, () => super.render());
  }
}

/** The title over a table: what is typed there is its name in the reader's language. */
class Title extends Properties {
  setDecisionTableName = (name) => write(this.context.injector, this.getBusinessObject(), language(), name);

  render() {
    return under(this.getBusinessObject(), () => super.render());
  }
}

class Titles {
  static $inject = ["components"];

  constructor(components) {
    components.onGetComponent("table.before", AFTER_DMN_JS, () => Title);
  }
}

/** The drawing of what decides what: its boxes in the reader's language. */
class Renderer extends DrdRenderer {
  static $inject = DrdRenderer.$inject;

  constructor(...given) {
    super(...given);
    const draw = this.drawShape;
    this.drawShape = (parent, shape) => {
      const object = shape.businessObject;
      return object?.$type === "dmn:Decision" ? under(object, () => draw.call(this, parent, shape)) : draw.call(this, parent, shape);
    };
  }
}

const HEADS = { "input-header": Input, "output-header": Output };

function heads(components) {
  components.onGetComponent("cell", BEFORE_DMN_JS, ({ cellType }) => HEADS[cellType]);
}
heads.$inject = ["components"];

export const drawn = { drdRenderer: ["type", Renderer] };

/** The module for dmn-js: titles and heads of columns in the reader's language. */
export const naming = { __init__: [heads], decisionTableProperties: ["type", Titles] };
