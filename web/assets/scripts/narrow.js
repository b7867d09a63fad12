// On a narrow screen the questions come first: what is known stays folded until one opens it. The tab one is on is scrolled into sight.
const asked = new Set();

function fold() {
  for (const one of document.querySelectorAll(".task-side details.fold[open]")) if (!asked.has(nameOf(one))) one.open = false;
}

export function startNarrow() {
  document.querySelector(".tabs a[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center", behavior: "instant" });
  if (!matchMedia("(max-width: 1023px)").matches) return;
  document.addEventListener("click", (event) => {
    const one = event.target.closest(".task-side summary")?.parentElement;
    if (one) asked[one.open ? "delete" : "add"](nameOf(one));
  });
  document.addEventListener("htmx:afterSettle", fold);
  fold();
}

const nameOf = (one) => one.querySelector("summary").firstChild.textContent.trim(); // without its count, which changes
