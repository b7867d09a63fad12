// What every page loads: htmx with its switches shut, then one small module per thing a page needs.
import htmx from "htmx.org";
import "htmx-ext-sse";
import "idiomorph/dist/idiomorph-ext.esm.js";
import { startCarets } from "./carets.js";
import { startDrafts } from "./drafts.js";
import { startKeeping } from "./keeping.js";
import { startKeys } from "./keys.js";
import { startMenus } from "./menus.js";
import { startNarrow } from "./narrow.js";
import { startSignatures } from "./signature.js";
import { startTrouble } from "./trouble.js";
import { keepTyping } from "./typing.js";
import { startUploads } from "./upload.js";

Object.assign(htmx.config, {
  allowEval: false,
  allowScriptTags: false,
  selfRequestsOnly: true,
  historyCacheSize: 0,
  refreshOnHistoryMiss: true,
  includeIndicatorStyles: false,
  defaultSwapStyle: "outerHTML",
  defaultFocusScroll: true,
  // A refusal is a page too: it is shown in place, with what was typed. Faults of ours and lost lines leave the page as it is.
  responseHandling: [
    { code: "204", swap: false },
    { code: "[23]..", swap: true },
    { code: "409|413|422", swap: true, error: false },
    { code: "[45]..", swap: false, error: true },
  ],
});

startTrouble();
startDrafts();
startCarets();
startKeeping();
keepTyping();
startUploads();
startSignatures();
startMenus();
startKeys();
startNarrow();

// After a refusal the reader is taken to the summary of what to mend; after a list grew, to its new row.
function lead() {
  const page = document.querySelector("[data-focus]");
  if (!page) return;
  document.getElementById(page.dataset.focus)?.focus();
  delete page.dataset.focus;
}
lead();
document.addEventListener("htmx:afterSettle", lead);

// htmx sends along the button that has the focus: what is saved by itself while one goes past a button does not do its act.
document.addEventListener("htmx:configRequest", ({ detail: { elt, parameters, triggeringEvent } }) => {
  if (!["change", "input"].includes(triggeringEvent?.type) || elt.hasAttribute("hx-vals")) return;
  for (const one of elt.closest("form")?.elements ?? []) if (one.type === "submit" && parameters[one.name] === one.value) delete parameters[one.name];
});

// A form that is handed in needs its questions anew no more: their late answer would take away what the server says of them.
document.addEventListener("htmx:beforeRequest", ({ detail: { elt } }) => elt.matches("form") && htmx.trigger(document.body, "htmx:abort"));

// In a long list beside what is open, the one that is open is in sight.
const open = document.querySelector(".sitting-files [aria-current]");
if (open) open.closest(".sitting-files").scrollTop = open.offsetTop - open.closest(".sitting-files").clientHeight / 2;

document.addEventListener("click", (event) => event.target.closest?.("[data-print]") && window.print());

// All of the list that is shown; where all is chosen already, none.
document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-choose-all]")) return;
  const all = [...document.querySelectorAll("[data-choose]")];
  const chosen = !all.every((one) => one.checked);
  for (const one of all) one.checked = chosen;
});
