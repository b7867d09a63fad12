// The desk by keyboard: j and k move, Enter opens (it is a link), c claims, x chooses, / searches, ? shows the keys. Never while typing.
export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const links = [...document.querySelectorAll(".work a.open")];
    const at = links.findIndex((link) => link.closest("li").contains(document.activeElement));
    if (event.key === "?") {
      const keys = document.getElementById("keys");
      if (keys) keys.open = !keys.open;
    } else if (event.key === "/") {
      const search = document.querySelector("[data-search]");
      if (!search) return;
      search.focus();
    } else if (links.length && event.key === "j") {
      links[Math.min(at + 1, links.length - 1)].focus();
    } else if (links.length && event.key === "k") {
      links[Math.max(at - 1, 0)].focus();
    } else if (event.key === "c" && at >= 0) {
      links[at].closest("li").querySelector("[data-claim]")?.click();
    } else if (event.key === "x" && at >= 0) {
      links[at].closest("li").querySelector("[data-choose]")?.click();
    } else return;
    event.preventDefault();
  });
}
