// What other tools wrote of an element goes along where bpmn-js makes another one of it: of another kind, or a copy. By itself it copies only what it knows.

const FIRST = 2000; // of those who listen: whoever answers is the last that is asked

/** `modeler`: bpmn-js's. */
export function keepForeign(modeler) {
  const moddle = modeler.get("moddle");
  const copied = (one, parent) => {
    const { $type, $children, ...said } = one;
    const made = moddle.createAny($type, one.$descriptor.ns.uri, said);
    made.$parent = parent;
    if ($children) made.$children = $children.map((child) => copied(child, made));
    return made;
  };
  const eventBus = modeler.get("eventBus");
  eventBus.on("moddleCopy.canCopyProperty", ({ property, parent }) => (property?.$type && moddle.getElementDescriptor(property).isGeneric ? copied(property, parent) : undefined));
  eventBus.on("moddleCopy.canCopyProperties", FIRST, ({ sourceElement, targetElement }) => {
    for (const [name, value] of Object.entries(sourceElement.$attrs ?? {})) if (name.includes(":") && !name.startsWith("xmlns:")) targetElement.$attrs[name] = value;
  });
}
