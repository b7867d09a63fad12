// The desk by keyboard: j and k move, Enter opens (it is a link), c claims, x chooses, / searches, ? shows the keys. Never while typing.
// A page whose controls bear `data-key` is worked through by them: each presses its own; v goes to the answers, Escape leaves the field one types in, Ctrl+Enter presses that of
// Enter, while typing too.
import { keyOf } from "./letters.js";

const TYPED = "textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])";

export function startKeys() {
  document.addEventListener("keydown", (event) => {
    const done = event.key === "Enter" && (event.ctrlKey || event.metaKey) && document.querySelector('[data-key="Enter"]');
    if (done) {
      event.preventDefault();
      return done.click();
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = keyOf(event);
    if (event.target.closest(TYPED)) return key === "Escape" && document.querySelector("[data-key]") ? event.target.blur() : undefined;
    const own = key !== "Enter" && document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (own && !event.repeat) {
      event.preventDefault();
      return own.click();
    }
    if (key === "v" && document.querySelector("[data-key]")) {
      const first = document.querySelector("#questions :is(input, select, textarea):not([type=hidden]):not([readonly])");
      if (first) event.preventDefault();
      return first?.focus();
    }
    const links = [...document.querySelectorAll(".work a.open")];
    const at = links.findIndex((link) => link.closest("li").contains(document.activeElement));
    if (key === "?") {
      const keys = document.getElementById("keys");
      if (keys) keys.open = !keys.open;
    } else if (key === "/") {
      const search = document.querySelector("[data-search]");
      if (!search) return;
      search.focus();
    } else if (links.length && key === "j") {
      links[Math.min(at + 1, links.length - 1)].focus();
    } else if (links.length && key === "k") {
      links[Math.max(at - 1, 0)].focus();
    } else if (key === "c" && at >= 0) {
      links[at].closest("li").querySelector("[data-claim]")?.click();
    } else if (key === "x" && at >= 0) {
      links[at].closest("li").querySelector("[data-choose]")?.click();
    } else return;
    event.preventDefault();
  });
}
