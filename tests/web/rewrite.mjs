// Reads BPMN and DMN files as the editors do (with `plain` as bpmn.io does, who knows nothing of Masar; with `turned` as Camunda Modeler too, which writes elements in
// another order once one was moved) and writes them again: { name: xml } in, { name: { xml, warnings } } out.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const assets = process.argv[2];
const { BpmnModdle } = await import(pathToFileURL(`${assets}/node_modules/bpmn-moddle/dist/index.js`).href);
const { DmnModdle } = await import(pathToFileURL(`${assets}/node_modules/dmn-moddle/dist/index.js`).href);
const { masar } = await import(pathToFileURL(`${assets}/scripts/drawing/masar.js`).href);
const how = process.argv[3];
const written = {};
for (const [name, xml] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  const moddle = name.endsWith(".dmn") ? new DmnModdle() : new BpmnModdle(how ? {} : { masar });
  const { rootElement, warnings } = await moddle.fromXML(xml);
  if (how === "turned") for (const one of rootElement.rootElements) one.flowElements?.reverse();
  written[name] = { xml: (await moddle.toXML(rootElement, { format: true })).xml, warnings: warnings.map((one) => one.message) };
}
process.stdout.write(JSON.stringify(written));
