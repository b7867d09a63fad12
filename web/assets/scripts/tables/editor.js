// The editor of a draft's decision tables: dmn-js between the list of decisions and what the chosen cell may hold, kept and judged as diagrams are.
import Modeler from "dmn-js/lib/Modeler";
import { DraftSaver, openFile } from "../draft_saver.js";
import { h } from "../drawing/fields.js";
import { Keeping } from "../drawing/keeping.js";
import { t, translation, useWords } from "../drawing/words.js";
import { Cells } from "./cells.js";
import { TableFindings } from "./findings.js";
import { drawn, naming, shownName } from "./names.js";
import { types } from "./types.js";

const page = document.querySelector("[data-tables]");
const part = (name) => page.querySelector(`[data-part="${name}"]`);

const PALETTE = 90; // pixels
const fit = () => document.documentElement.style.setProperty("--bar", `${document.querySelector("header.bar")?.offsetHeight ?? 0}px`);
fit();
window.addEventListener("resize", fit);

start().catch((fault) => {
  console.error(fault);
  part("sheet").textContent = page.dataset.failed;
});

async function start() {
  const { draft, path, csrf } = page.dataset;
  const [file, material] = await Promise.all([openFile(draft, path), fetch(`${draft}/columns`).then((answer) => answer.json())]);
  useWords(material);
  const maySave = page.dataset.maySave === "yes";
  const context = { draft, path, maySave, material, fileName: path.split("/").pop(), findingsAddress: `${draft}/findings/${path}` };
  const watched = watch(context);
  const each = { additionalModules: [translation, watched] };
  const modeler = new Modeler({ container: part("sheet"), drd: { additionalModules: [translation, watched, drawn] }, decisionTable: { additionalModules: [translation, watched, naming, types] }, literalExpression: each, boxedExpression: each });
  Object.assign(context, {
    tables: modeler,
    announce: (sentence) => (part("announce").textContent = sentence),
    // What keeping and findings ask of bpmn-js's modeler, asked of the view that is open.
    modeler: { get: (name) => (name === "eventBus" ? { on() {} } : modeler.getActiveViewer().get(name)), saveXML: (how) => modeler.saveXML(how) },
    panel: { show() {} },
    outline: { later: () => list(context) },
    viewOf: (element) => element && modeler.getViews().find((view) => view.element.id === element || ruleOf(view, element) || view.element.decisionLogic?.id === element),
  });
  context.keeping = new Keeping(part("state"), part("notice"), context);
  context.saver = new DraftSaver({ draft, path, csrf, version: file.version, read: async () => (await modeler.saveXML({ format: true })).xml, say: (state, details) => context.keeping.say(state, details) });
  context.findings = new TableFindings(part("findings"), context);
  context.cells = new Cells(part("panel"), context);
  context.open = async (xml) => {
    const { warnings } = await modeler.importXML(xml, { open: false });
    const views = modeler.getViews();
    await show(context, context.viewOf(context.shown) ?? views.find((view) => view.type === "decisionTable") ?? views[0]);
    return warnings;
  };
  context.select = async (element) => {
    const view = context.viewOf(element);
    if (!view) return;
    await show(context, view);
    if (view.type === "decisionTable") row(modeler, ruleOf(view, element) ? element : undefined);
  };
  const warnings = await context.open(file.text);
  if (warnings.length) context.keeping.warn(warnings);
  tools(context);
  // What is picked from a list of dmn-js leaves the focus where it was: taken to the sheet, the list closes before the click is heard.
  part("sheet").addEventListener("mousedown", (event) => event.target.closest(".dms-select-options") && event.preventDefault(), true);
  context.findings.ask();
  page.dataset.ready = "yes";
  if (page.dataset.element) await context.select(page.dataset.element);
  setInterval(() => document.visibilityState === "visible" && !context.saver.unsaved && context.findings.ask(), 15000);
  window.addEventListener("focus", () => context.findings.ask());
}

const ruleOf = (view, id) => view.element.decisionLogic?.rule?.find((one) => one.id === id);

/** Each view of dmn-js has its own stack of changes: all of them are kept, or, for who may only look, refused. */
function watch(context) {
  const listen = (eventBus, commandStack) => {
    if (!context.maySave) commandStack.execute = () => {};
    eventBus.on("commandStack.changed", () => {
      if (commandStack.canUndo()) context.saver.touch();
      context.history?.();
      list(context);
    });
    eventBus.on("selection.changed", ({ selection }) => context.cells?.show(selection));
    eventBus.on("elements.changed", () => context.cells?.later());
  };
  listen.$inject = ["eventBus", "commandStack"];
  return { __init__: [listen] };
}

async function show(context, view) {
  if (!view) return;
  context.shown = view.element.id;
  await context.tables.open(view);
  if (view.type === "drd") frame(context.tables.getActiveViewer().get("canvas"));
  // dmn-js leaves the head of the column of numbers empty: nobody should be told of it.
  for (const one of part("sheet").querySelectorAll("th.index-column")) one.setAttribute("role", "presentation");
  context.cells.show(null);
  context.history?.();
  list(context);
}

/** The drawing beside its palette, never larger than life. */
function frame(canvas) {
  const { inner, outer } = canvas.viewbox();
  const scale = Math.min(1, outer.width / (inner.width + PALETTE + 40), outer.height / (inner.height + 120));
  canvas.viewbox({ x: inner.x - PALETTE / scale, y: inner.y - 100 / scale, width: outer.width / scale, height: outer.height / scale });
}

/** The first cell of a rule (or of the table) is chosen and seen. */
function row(modeler, rule) {
  const viewer = modeler.getActiveViewer();
  const registry = viewer.get("elementRegistry");
  const found = rule ? registry.get(rule) : viewer.get("sheet").getRoot().rows[0];
  const cell = found?.cells?.find((one) => one.businessObject) ?? found?.cells?.[0];
  if (!cell) return;
  viewer.get("selection").select(cell);
  const node = document.querySelector(`[data-element-id="${CSS.escape(cell.id)}"]`);
  node?.scrollIntoView({ block: "center", inline: "nearest" });
  node?.closest("tr")?.animate?.([{ outline: "3px solid currentcolor" }, { outline: "0 solid transparent" }], { duration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 1400 });
}

/** The decisions of the file, in the reader's words; each with the number of its findings. */
function list(context) {
  const views = context.tables?.getViews?.() ?? [];
  const items = views.map((view) => {
    const isDrawing = view.type === "drd";
    const ids = new Set([view.element.id, ...(view.element.decisionLogic?.rule ?? []).map((one) => one.id)]);
    const found = isDrawing ? [] : (context.findings?.found ?? []).filter((one) => ids.has(one.element));
    const isWrong = found.some((one) => one.severity === "error");
    const act = h("button", { type: "button", "data-view": view.element.id, on: { click: () => show(context, view) } }, h("span", {}, isDrawing ? t("table.drawing") : shownName(view.element)), found.length > 0 && h("span", { class: `state state-${isWrong ? "late" : "due"}` }, String(found.length)));
    if (view.element.id === context.shown) act.setAttribute("aria-current", "true");
    return h("li", {}, act);
  });
  part("outline").replaceChildren(h("ul", { class: "outline plain" }, items));
}

function tools(context) {
  const stack = () => context.tables.getActiveViewer()?.get("commandStack", false);
  const on = (name, act) => page.querySelector(`[data-do="${name}"]`)?.addEventListener("click", act);
  on("undo", () => stack()?.undo());
  on("redo", () => stack()?.redo());
  on("export", async (event) => {
    if (!context.saver.unsaved) return;
    event.preventDefault();
    await context.saver.save();
    location.assign(event.target.closest("a").href);
  });
  context.history = () => {
    for (const [name, may] of [["undo", stack()?.canUndo()], ["redo", stack()?.canRedo()]]) {
      const one = page.querySelector(`[data-do="${name}"]`);
      if (one) one.disabled = !may;
    }
  };
  context.history();
}
