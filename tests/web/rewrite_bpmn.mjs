// Reads BPMN files as the editor does (with `plain` as bpmn.io does, who knows nothing of Masar) and writes them again: { name: xml } in, { name: { xml, warnings } } out.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const assets = process.argv[2];
const { BpmnModdle } = await import(pathToFileURL(`${assets}/node_modules/bpmn-moddle/dist/index.js`).href);
const { masar } = await import(pathToFileURL(`${assets}/scripts/drawing/masar.js`).href);
const written = {};
for (const [name, xml] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  const moddle = new BpmnModdle(process.argv[3] === "plain" ? {} : { masar });
  const { rootElement, warnings } = await moddle.fromXML(xml);
  written[name] = { xml: (await moddle.toXML(rootElement, { format: true })).xml, warnings: warnings.map((one) => one.message) };
}
process.stdout.write(JSON.stringify(written));
