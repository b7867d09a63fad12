// What Masar adds to BPMN (`urn:masar:bpmn:1`), for bpmn-moddle to read and write; and how it is read and changed, each change one undo.
const attributes = (...names) => names.map((name) => ({ name, isAttr: true, type: "String" }));
const element = (name, ...properties) => ({ name, superClass: ["Element"], properties });
const parameters = { name: "parametres", type: "Parametre", isMany: true };

export const masar = {
  name: "Masar",
  uri: "urn:masar:bpmn:1",
  prefix: "masar",
  xml: { tagAlias: "lowerCase" },
  types: [
    element("Libelle", ...attributes("lang"), { name: "text", isBody: true, type: "String" }),
    element("Infere"),
    element("Imprevu", ...attributes("form", "roles", "sur", "seul")),
    element("Tache", ...attributes("form", "role", "delai", "unite", "sujet", "distinct", "presence", "echeance", "ecart")),
    element("Operation", ...attributes("nom"), parameters),
    element("Parametre", ...attributes("nom", "valeur")),
    element("Decision", ...attributes("ref", "resultat")),
    element("Message", ...attributes("nom", "cle", "resultat"), parameters),
    element("Entree", ...attributes("nom", "valeur")),
    element("Sortie", ...attributes("nom", "valeur")),
    element("Collection", ...attributes("valeur", "element")),
  ],
};

/** All of an element's extensions of a type ("masar:Tache"). `holder`: a moddle object. */
export function extensionsOf(holder, type) {
  return (holder.get("extensionElements")?.get("values") ?? []).filter((one) => one.$type === type);
}

export const extensionOf = (holder, type) => extensionsOf(holder, type)[0];

/** Changes the model through the command stack, so that each act is undone at once. */
export class Writer {
  constructor(modeler) {
    this.modeling = modeler.get("modeling");
    this.moddle = modeler.get("moddle");
    this.stack = modeler.get("commandStack");
    this.stack.register("masar.together", { preExecute: (context) => context.act(), execute: () => [], revert: () => [] });
  }

  /** Several changes, one undo. */
  together(act) {
    this.stack.execute("masar.together", { act });
  }

  /** Properties of any moddle object that belongs to `shape`. */
  set(shape, holder, properties) {
    this.modeling.updateModdleProperties(shape, holder, properties);
  }

  create(type, properties, parent) {
    const made = this.moddle.create(type, properties);
    made.$parent = parent;
    for (const value of Object.values(properties)) for (const one of [value].flat()) if (one?.$type && !one.$parent) one.$parent = made;
    return made;
  }

  /** The list of extensions as `change` makes it of what is there. */
  extensions(shape, holder, change) {
    const held = holder.get("extensionElements");
    const values = change(held?.get("values") ?? []);
    if (held) {
      for (const one of values) one.$parent = held;
      this.set(shape, held, { values });
    } else if (values.length) this.set(shape, holder, { extensionElements: this.create("bpmn:ExtensionElements", { values }, holder) });
  }

  /** The one extension of a type: its properties changed, made where there was none, taken away with null or when nothing is left in it. */
  extension(shape, holder, type, properties, keep = false) {
    const found = extensionOf(holder, type);
    if (properties === null) {
      if (found) this.extensions(shape, holder, (values) => values.filter((one) => one !== found));
      return;
    }
    const written = Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, value === "" ? undefined : value]));
    if (!found) {
      if (keep || Object.values(written).some((value) => value !== undefined)) {
        this.extensions(shape, holder, (values) => [...values, this.create(type, written, holder)]);
      }
      return;
    }
    const left = { ...found, ...written };
    const names = found.$descriptor.properties.map((one) => one.name.replace(/^.*:/, ""));
    const isEmpty = !keep && !names.some((name) => left[name]?.length) && !Object.keys(found.$attrs).length;
    if (isEmpty) this.extension(shape, holder, type, null);
    else this.set(shape, found, written);
  }
}
