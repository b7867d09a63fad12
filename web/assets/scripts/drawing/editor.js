// The diagram editor of a draft: bpmn-js's modeler between an outline and a panel, kept on the server as one draws, judged after each save.
import Modeler from "bpmn-js/lib/Modeler";
import Minimap from "diagram-js-minimap";
import { DraftSaver, openFile } from "../draft_saver.js";
import { keyOf } from "../letters.js";
import { h } from "./fields.js";
import { Findings } from "./findings.js";
import { keepForeign } from "./foreign.js";
import { Keeping } from "./keeping.js";
import { kindsAfter, onlyWhatRuns } from "./kinds.js";
import { masar, Writer } from "./masar.js";
import { Mirror } from "./mirror.js";
import { dropMisplaced } from "./misplaced.js";
import { moves } from "./moves.js";
import { nameTyping, naming, writeName } from "./names.js";
import { Outline } from "./outline.js";
import { Panel } from "./panel.js";
import { t, translation, useWords } from "./words.js";

const page = document.querySelector("[data-drawing]");
const part = (name) => page.querySelector(`[data-part="${name}"]`);
const MARGIN = 24;
const PALETTE = 100; // pixels

// The editor fills what the bar above leaves of the window: its height is that of the reader's script.
const fit = () => document.documentElement.style.setProperty("--bar", `${document.querySelector("header.bar")?.offsetHeight ?? 0}px`);
fit();
window.addEventListener("resize", fit);

start().catch((fault) => {
  console.error(fault);
  part("canvas").textContent = fault.said ?? page.dataset.failed;
});

async function start() {
  const { draft, path, csrf } = page.dataset;
  const [file, material] = await Promise.all([openFile(draft, path), fetch(`${draft}/vocabulary`).then((answer) => answer.json())]);
  useWords(material);
  const maySave = page.dataset.maySave === "yes";
  const look = { language: page.dataset.language, mirrored: false, locked: !maySave };
  const modeler = new Modeler({
    container: part("canvas"),
    additionalModules: [translation, onlyWhatRuns, naming(look), nameTyping(look), Minimap],
    moddleExtensions: { masar },
  });
  const writer = new Writer(modeler);
  const modeling = modeler.get("modeling");
  dropMisplaced(modeler, writer);
  keepForeign(modeler);
  let isMoreOpen = false;
  const context = {
    modeler, writer, modeling, material, look, maySave, draft, path, frame,
    fileName: path.split("/").pop(),
    findingsAddress: `${draft}/findings/${path}`,
    timerKind: new Map(),
    isMoreOpen: (now) => (now === undefined ? isMoreOpen : (isMoreOpen = now)),
    announce: (sentence) => (part("announce").textContent = sentence),
  };
  look.write = (shape, text) => writeName(writer, modeling, shape, shape.businessObject, look.language, text);
  Object.assign(context, moves(context));
  context.keeping = new Keeping(part("state"), part("notice"), context);
  context.saver = new DraftSaver({ draft, path, csrf, version: file.version, read: async () => (await modeler.saveXML({ format: true })).xml, say: (state, details) => context.keeping.say(state, details) });
  context.findings = new Findings(part("findings"), context);
  context.panel = new Panel(part("panel"), context);
  context.outline = new Outline(part("outline"), context);
  context.mirror = new Mirror(part("mirror"), context);
  // Looked at by who may not save, nothing on the sheet can change.
  if (!maySave) modeler.get("commandStack").execute = () => {};
  else modeler.get("eventBus").on("commandStack.changed", () => {
      context.saver.touch();
    });

  context.open = async (xml) => {
    // Another tool may describe a process without drawing it: bpmn-js has nothing to show.
    if (/<(?:\w+:)?definitions\b/.test(xml) && !/BPMNDiagram\b/.test(xml)) throw Object.assign(new Error("not drawn"), { said: t("not_drawn") });
    const canvas = modeler.get("canvas");
    const had = modeler.getDefinitions() && { box: canvas.viewbox(), chosen: modeler.get("selection").get().map((one) => one.id) };
    const { warnings } = await modeler.importXML(xml);
    if (had) {
      canvas.viewbox(had.box);
      modeler.get("selection").select(had.chosen.map((id) => modeler.get("elementRegistry").get(id)).filter(Boolean));
    } else frame(modeler);
    name();
    return warnings;
  };
  part("fields").append(...material.fields.map((one) => h("option", { value: one.id, label: one.label })));
  const warnings = await context.open(file.text);
  if (warnings.length) context.keeping.warn(warnings);
  modeler.get("minimap")[matchMedia("(min-width: 1200px)").matches ? "open" : "close"]();
  tools(context);
  keys(context);
  context.findings.ask();
  page.dataset.ready = "yes";
  if (page.dataset.element) context.findings.choose({ element: page.dataset.element, code: "" });
  setInterval(() => document.visibilityState === "visible" && !context.saver.unsaved && context.findings.ask(), 15000);
  window.addEventListener("focus", () => context.findings.ask());
}

/** The whole diagram in what the palette leaves, never larger than life; a long one begins at its start. */
function frame(viewer) {
  const canvas = viewer.get("canvas");
  const { inner, outer } = canvas.viewbox();
  const isMirror = !viewer.get("palette", false);
  const beside = isMirror || page.dataset.maySave === "no" ? 0 : PALETTE;
  const scale = Math.min(1, Math.max(0.5, Math.min((outer.width - beside - 2 * MARGIN) / inner.width, (outer.height - 2 * MARGIN) / inner.height)));
  const [width, height, left] = [outer.width / scale, outer.height / scale, beside / scale];
  const isWhole = inner.width <= width - left;
  const begins = isMirror ? inner.x + inner.width - width + MARGIN : inner.x - left - MARGIN;
  const x = isWhole ? inner.x - left - (width - left - inner.width) / 2 : begins;
  const y = inner.height <= height ? inner.y - (height - inner.height) / 2 : inner.y - MARGIN;
  canvas.viewbox({ x, y, width, height });
}

/** What a screen reader says of the sheet, which it cannot read; the palette is the mouse's, the panel does the same. */
function name() {
  const svg = part("canvas").querySelector("svg");
  svg.setAttribute("role", "application");
  svg.setAttribute("aria-label", t("canvas"));
  for (const one of part("canvas").querySelectorAll(".djs-palette, .djs-minimap")) one.setAttribute("aria-hidden", "true");
}

function tools(context) {
  const { modeler, saver } = context;
  const stack = modeler.get("commandStack");
  const canvas = () => (context.mirror.viewer ?? modeler).get("canvas");
  const on = (name, act) => page.querySelector(`[data-do="${name}"]`)?.addEventListener("click", act);
  on("undo", () => stack.undo());
  on("redo", () => stack.redo());
  on("closer", () => canvas().zoom(canvas().zoom() * 1.2));
  on("farther", () => canvas().zoom(canvas().zoom() / 1.2));
  on("whole", () => frame(context.mirror.viewer ?? modeler));
  on("export", async (event) => {
    if (!saver.unsaved) return;
    event.preventDefault();
    await saver.save();
    location.assign(event.target.closest("a").href);
  });
  const history = () => {
    for (const [name, may] of [["undo", stack.canUndo()], ["redo", stack.canRedo()]]) {
      const one = page.querySelector(`[data-do="${name}"]`);
      if (one) one.disabled = !may;
    }
  };
  modeler.get("eventBus").on(["commandStack.changed", "import.done"], history);
  history();
  for (const one of page.querySelectorAll("[name=shown]")) {
    one.addEventListener("change", () => {
      context.look.language = one.value;
      drawAgain(modeler);
      context.outline.later();
      context.panel.show();
      if (context.mirror.viewer) context.mirror.draw();
    });
  }
  const mirror = page.querySelector("[name=mirrored]");
  mirror?.addEventListener("change", async () => {
    part("mirror").hidden = !mirror.checked;
    part("canvas").hidden = mirror.checked;
    if (mirror.checked) await context.mirror.show();
    else context.mirror.hide();
    context.announce(t(mirror.checked ? "mirror_on" : "mirror_off"));
  });
  page.querySelector("[data-import]")?.addEventListener("change", async ({ target }) => {
    const [sent] = target.files;
    target.value = "";
    if (sent) await context.keeping.bring(sent);
  });
}

/** Draws every name anew, and tells nothing of it: nothing changed. */
function drawAgain(modeler) {
  const registry = modeler.get("elementRegistry");
  registry.forEach((shape) => {
    if (shape.parent) modeler.get("graphicsFactory").update(shape.waypoints ? "connection" : "shape", shape, registry.getGraphics(shape));
  });
}

/** F6 goes round the parts of the page, as in a desktop's program. */
function keys({ modeler, panel, maySave, announce }) {
  const parts = () => [part("outline").querySelector("[tabindex='0']"), part("canvas").querySelector("svg"), part("panel").querySelector("h2"), part("findings").querySelector("summary")].filter(Boolean);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "F6") return;
    event.preventDefault();
    const round = parts();
    const places = ["outline", "canvas", "panel", "findings"].map(part);
    const at = places.findIndex((one) => one.contains(document.activeElement));
    round[(at + (event.shiftKey ? round.length - 1 : 1) + round.length) % round.length].focus();
  });
  modeler.get("keyboard").addListener(1500, ({ keyEvent }) => {
    if (keyEvent.ctrlKey || keyEvent.metaKey || keyEvent.altKey) return undefined;
    if (keyEvent.key === "Enter") panel.goTo();
    else if (keyOf(keyEvent).toLowerCase() !== "a" || !maySave) return undefined;
    else if (kindsAfter(panel.shape).length) panel.goTo("after");
    else announce(t("add_none"));
    return true;
  });
}
