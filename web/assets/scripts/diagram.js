// Draws a diagram: of a case, with the way gone and the place where it stands; of a draft, with what differs. Loaded by the pages that show one.
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";

const MASAR = "urn:masar:bpmn:1";
const BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL";

for (const canvas of document.querySelectorAll("[data-diagram]")) show(canvas);
document.addEventListener("htmx:load", (event) => {
  for (const canvas of event.target.querySelectorAll?.("[data-diagram]") ?? []) show(canvas);
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
    const viewer = new NavigatedViewer({ container: canvas });
    await viewer.importXML(inLanguage(await answer.text(), canvas.dataset.language));
    mark(viewer, JSON.parse(canvas.dataset.done ?? "[]"), "masar-done");
    const here = mark(viewer, JSON.parse(canvas.dataset.here ?? "[]"), "masar-here");
    mark(viewer, JSON.parse(canvas.dataset.stopped ?? "[]"), "masar-stopped");
    for (const [id, kind] of Object.entries(JSON.parse(canvas.dataset.marks ?? "{}"))) mark(viewer, [id], `masar-${kind}`);
    const looked = canvas.dataset.focus ? mark(viewer, [canvas.dataset.focus], "masar-looked") : here;
    place(viewer, looked, Boolean(canvas.dataset.focus));
    tools(canvas, viewer, looked);
  } catch (fault) {
    console.warn("diagram", fault);
    canvas.textContent = canvas.dataset.failed;
  }
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

function tools(frame, viewer, here) {
  const canvas = viewer.get("canvas");
  const template = frame.parentElement.querySelector("template[data-tools]");
  if (!template) return;
  const row = template.content.cloneNode(true);
  const on = (name, act) => row.querySelector(`[data-do=${name}]`)?.addEventListener("click", act);
  on("closer", () => canvas.zoom(canvas.zoom() * 1.25));
  on("farther", () => canvas.zoom(canvas.zoom() / 1.25));
  on("whole", () => place(viewer, []));
  on("here", () => place(viewer, here));
  frame.append(row);
}
