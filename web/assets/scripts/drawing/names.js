// Names in three languages in one file: `name` is French, `masar:libelle` the others. The diagram is drawn in the one that is looked at, and a name typed on
// it goes to that language; the model never changes when one looks.
import BpmnRenderer from "bpmn-js/lib/draw/BpmnRenderer";
import LabelEditingProvider from "bpmn-js/lib/features/label-editing/LabelEditingProvider";
import { isAny } from "bpmn-js/lib/util/ModelUtil";
import { extensionsOf } from "./masar.js";

export const LANGUAGES = ["fr", "ar", "en"];
const LIBELLE = "masar:Libelle";
const HEAD = 30;

export function nameOf(object, language) {
  if (language === "fr") return object.get("name") ?? "";
  const label = extensionsOf(object, LIBELLE).find((one) => one.get("lang") === language);
  return (label?.get("text") ?? "").trim();
}

/** The name in a language, else in French, else the id. */
export const shownName = (object, language) => nameOf(object, language) || nameOf(object, "fr") || object.get("id");

export function writeName(writer, modeling, shape, object, language, text) {
  const value = text.replace(/\s+/g, " ").trim();
  if (value === nameOf(object, language)) return;
  if (language === "fr") {
    if (shape.businessObject === object) modeling.updateProperties(shape, { name: value || undefined });
    else writer.set(shape, object, { name: value || undefined });
    return;
  }
  const label = extensionsOf(object, LIBELLE).find((one) => one.get("lang") === language);
  if (label && value) writer.set(shape, label, { text: value });
  else writer.extensions(shape, object, (values) => [...values.filter((one) => one !== label), ...(value ? [writer.create(LIBELLE, { lang: language, text: value })] : [])]);
}

/** While `act` runs, the object answers to its name in the language. */
function under(object, language, act) {
  if (language === "fr" || !object?.$instanceOf?.("bpmn:BaseElement") || object.$instanceOf("bpmn:TextAnnotation")) return act();
  const own = Object.getOwnPropertyDescriptor(object, "name");
  const shown = nameOf(object, language) || nameOf(object, "fr");
  Object.defineProperty(object, "name", { value: shown, configurable: true, enumerable: own?.enumerable ?? true, writable: true });
  try {
    return act();
  } finally {
    if (own) Object.defineProperty(object, "name", own);
    else delete object.name;
  }
}

/** The module for bpmn-js; `look.language` is the language looked at, `look.mirrored` whether heads of pools stand at the right. */
export function naming(look) {
  class Renderer extends BpmnRenderer {
    constructor(config, eventBus, styles, pathMap, canvas, textRenderer) {
      super(config, eventBus, styles, pathMap, canvas, textRenderer, 1200);
    }
    drawShape(parent, shape, attributes) {
      const drawn = under(shape.businessObject, look.language, () => super.drawShape(parent, shape, attributes));
      if (look.mirrored && isAny(shape, ["bpmn:Participant", "bpmn:Lane"])) headAtRight(parent, shape);
      return drawn;
    }
    drawConnection(parent, connection, attributes) {
      return under(connection.businessObject, look.language, () => super.drawConnection(parent, connection, attributes));
    }
  }
  Renderer.$inject = ["config.bpmnRenderer", "eventBus", "styles", "pathMap", "canvas", "textRenderer"];
  return { __init__: ["masarRenderer"], masarRenderer: ["type", Renderer] };
}

function headAtRight(parent, shape) {
  const sheet = document.createElementNS("http://www.w3.org/2000/svg", "svg"); // what is drawn stands on no sheet yet
  const move = (drawn, by) => {
    const moved = sheet.createSVGTransform();
    moved.setTranslate(by, 0);
    drawn.transform.baseVal.insertItemBefore(moved, 0);
  };
  for (const text of parent.querySelectorAll(":scope > text")) move(text, shape.width - HEAD);
  for (const line of parent.querySelectorAll(":scope > path, :scope > polyline")) move(line, shape.width - 2 * HEAD);
}

/** Typing a name on the diagram, for the modeler alone. */
export function nameTyping(look) {
  class Provider extends LabelEditingProvider {
    activate(shape) {
      if (look.locked) return undefined;
      return under(shape.businessObject, look.language, () => super.activate(shape));
    }
    update(shape, text, activeContextText, bounds) {
      if (look.language === "fr" || shape.type === "bpmn:TextAnnotation") super.update(shape, text, activeContextText, bounds);
      else look.write(shape.labelTarget ?? shape, text);
    }
  }
  Provider.$inject = LabelEditingProvider.$inject;
  return { labelEditingProvider: ["type", Provider] };
}
