// Draws a diagram: of a case, with the way gone and the place where it stands; of a draft, with what differs. Loaded by the pages that show one.
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";
import { masar } from "./drawing/masar.js";
import { mirrored } from "./drawing/mirrored.js";
import { naming } from "./drawing/names.js";

const MASAR = "urn:masar:bpmn:1";
const BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL";

for (const canvas of document.querySelectorAll("[data-diagram]")) show(canvas);
document.addEventListener("htmx:load", (event) => {
  for (const canvas of event.target.querySelectorAll?.("[data-diagram]") ?? []) show(canvas);
});

document.addEventListener("masar:shown", (event) => {
  for (const canvas of event.detail.querySelectorAll("[data-diagram]")) show(canvas);
});

async function show(canvas) {
  if (canvas.dataset.ready) return;
  canvas.dataset.ready = "yes";
  try {
    const answer = await fetch(canvas.dataset.diagram);
    if (answer.status === 404 && canvas.dataset.absent) {
      canvas.textContent = canvas.dataset.absent;
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    const viewer = viewerIn(canvas, sheetUnder(canvas));
    const xml = await answer.text();
    await viewer.importXML(canvas.dataset.mirrored ? mirrored(xml) : inLanguage(xml, canvas.dataset.language));
    let here = stand(viewer, canvas);
    canvas.addEventListener("masar:stand", () => {
      here = stand(viewer, canvas);
      follow(viewer, here);
    });
    for (const [id, kind] of Object.entries(JSON.parse(canvas.dataset.marks ?? "{}"))) mark(viewer, [id], `masar-${kind}`);
    const looked = canvas.dataset.focus ? mark(viewer, [canvas.dataset.focus], "masar-looked") : here;
    place(viewer, looked, Boolean(canvas.dataset.focus));
    tools(canvas, viewer, () => (canvas.dataset.focus ? looked : here));
    if (canvas.dataset.pick) viewer.get("eventBus").on("element.click", ({ element }) => pick(canvas.dataset.pick + element.id));
  } catch (fault) {
    console.warn("diagram", fault);
    canvas.textContent = canvas.dataset.failed;
  }
}

// The buttons stand above the sheet, never over what is drawn on it.
function sheetUnder(canvas) {
  const template = canvas.parentElement.querySelector("template[data-tools]");
  const sheet = document.createElement("div");
  sheet.className = "canvas-sheet";
  canvas.replaceChildren(...(template ? [template.content.cloneNode(true)] : []), sheet);
  return sheet;
}

// Mirrored, the heads of pools and lanes are drawn at the right too.
function viewerIn(canvas, container) {
  if (!canvas.dataset.mirrored) return new NavigatedViewer({ container });
  const look = { language: canvas.dataset.language, mirrored: true };
  return new NavigatedViewer({ container, additionalModules: [naming(look)], moddleExtensions: { masar } });
}

// Each element carries its name in French and, beside it, in Arabic and English: the reader's is put in its place before drawing.
function inLanguage(xml, language) {
  if (language === "fr") return xml;
  const tree = new DOMParser().parseFromString(xml, "application/xml");
  for (const label of tree.getElementsByTagNameNS(MASAR, "libelle")) {
    const box = label.parentNode;
    if (label.getAttribute("lang") === language && box.namespaceURI === BPMN) box.parentNode.setAttribute("name", label.textContent.trim());
  }
  return new XMLSerializer().serializeToString(tree);
}

// What the page says of a diagram: the way gone, where it stands, what stopped it, how long each element took. Said anew, the marks of before go.
const STANDS = ["masar-done", "masar-here", "masar-stopped", "masar-heat-1", "masar-heat-2", "masar-heat-3", "masar-heat-4"];

function stand(viewer, canvas) {
  const sheet = viewer.get("canvas");
  const overlays = viewer.get("overlays");
  const registry = viewer.get("elementRegistry");
  registry.forEach((element) => STANDS.forEach((marker) => sheet.hasMarker(element, marker) && sheet.removeMarker(element, marker)));
  overlays.remove({ type: "masar-time" });
  mark(viewer, JSON.parse(canvas.dataset.done ?? "[]"), "masar-done");
  for (const [id, [level, time]] of Object.entries(JSON.parse(canvas.dataset.heat ?? "{}"))) {
    if (!mark(viewer, [id], `masar-heat-${level}`).length) continue;
    const told = document.createElement("span");
    told.className = "masar-time";
    told.textContent = time;
    told.lang = canvas.dataset.language;
    told.dir = "auto";
    overlays.add(id, "masar-time", { position: { bottom: 10, left: 4 }, html: told });
  }
  const here = mark(viewer, JSON.parse(canvas.dataset.here ?? "[]"), "masar-here");
  mark(viewer, JSON.parse(canvas.dataset.stopped ?? "[]"), "masar-stopped");
  return here;
}

// The sheet moves only where what counts would be out of sight.
function follow(viewer, here) {
  if (!here.length) return;
  const { x, y, width, height } = viewer.get("canvas").viewbox();
  const middle = centre(viewer.get("elementRegistry").get(here[0]));
  if (middle.x < x + 40 || middle.x > x + width - 40 || middle.y < y + 30 || middle.y > y + height - 30) place(viewer, here);
}

function mark(viewer, ids, marker) {
  const registry = viewer.get("elementRegistry");
  const canvas = viewer.get("canvas");
  const shown = ids.filter((id) => registry.get(id));
  for (const id of shown) canvas.addMarker(id, marker);
  if (marker === "masar-done") {
    const past = new Set(shown);
    registry.forEach((element) => {
      if (element.waypoints && past.has(element.id)) canvas.addMarker(element, marker);
    });
  }
  return shown;
}

function place(viewer, here, isClose = false) {
  const canvas = viewer.get("canvas");
  const registry = viewer.get("elementRegistry");
  const frame = canvas.viewbox();
  const { inner, outer } = frame;
  const margin = 30;
  const whole = Math.min(outer.width / (inner.width + 2 * margin), outer.height / (inner.height + 2 * margin), 1);
  if ((whole >= 0.55 && !isClose) || !here.length) {
    const scale = Math.max(whole, 0.2);
    const width = outer.width / scale;
    const height = outer.height / scale;
    canvas.viewbox({ x: inner.x - (width - inner.width) / 2, y: inner.y - (height - inner.height) / 2, width, height });
    return;
  }
  const middle = centre(registry.get(here[0]));
  const scale = 0.75;
  const width = outer.width / scale;
  const height = outer.height / scale;
  canvas.viewbox({ x: middle.x - width / 2, y: middle.y - height / 2, width, height });
}

function centre(element) {
  if (element.waypoints) return element.waypoints[Math.floor(element.waypoints.length / 2)];
  return { x: element.x + element.width / 2, y: element.y + element.height / 2 };
}

// What is clicked in the drawing is gone to in the list beside it.
function pick(id) {
  const row = document.getElementById(id);
  row?.scrollIntoView({ block: "center" });
  row?.querySelector("a")?.focus({ preventScroll: true });
}

function tools(frame, viewer, looked) {
  const canvas = viewer.get("canvas");
  const on = (name, act) => frame.querySelector(`.canvas-tools [data-do=${name}]`)?.addEventListener("click", act);
  on("closer", () => canvas.zoom(canvas.zoom() * 1.25));
  on("farther", () => canvas.zoom(canvas.zoom() / 1.25));
  on("whole", () => place(viewer, []));
  on("here", () => place(viewer, looked()));
}
