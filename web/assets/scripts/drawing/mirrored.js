// A diagram from right to left: every place of its drawings mirrored.
const DC = "http://www.omg.org/spec/DD/20100524/DC";
const DI = "http://www.omg.org/spec/DD/20100524/DI";
const BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI";

/** The same file with x' = W − x − w in each of its drawings. */
export function mirrored(xml) {
  const tree = new DOMParser().parseFromString(xml, "application/xml");
  for (const plane of tree.getElementsByTagNameNS(BPMNDI, "BPMNPlane")) {
    const boxes = [...plane.getElementsByTagNameNS(DC, "Bounds")];
    const points = [...plane.getElementsByTagNameNS(DI, "waypoint")];
    const at = (node, name) => Number(node.getAttribute(name));
    const edges = [...boxes.flatMap((one) => [at(one, "x"), at(one, "x") + at(one, "width")]), ...points.map((one) => at(one, "x"))];
    if (!edges.length) continue;
    const sum = edges.reduce((least, one) => Math.min(least, one), Infinity) + edges.reduce((most, one) => Math.max(most, one), -Infinity);
    for (const one of boxes) one.setAttribute("x", String(sum - at(one, "x") - at(one, "width")));
    for (const one of points) one.setAttribute("x", String(sum - at(one, "x")));
  }
  return new XMLSerializer().serializeToString(tree);
}
