// On a narrow screen the questions come first: what is known stays folded until one opens it. The tab one is on is scrolled into sight.
const asked = new Set();

function fold() {
  for (const one of document.querySelectorAll(".task-side details.fold[open]")) if (!asked.has(nameOf(one))) one.open = false;
}

export function startNarrow() {
  const tab = document.querySelector(".tabs a[aria-current]");
  if (tab) tab.parentElement.scrollBy({ left: middleOf(tab) - middleOf(tab.parentElement), behavior: "instant" }); // the row of tabs alone: the page stays where it is
  if (!matchMedia("(max-width: 1023px)").matches) return;
  document.addEventListener("click", (event) => {
    const one = event.target.closest(".task-side summary")?.parentElement;
    if (one) asked[one.open ? "delete" : "add"](nameOf(one));
  });
  document.addEventListener("htmx:afterSettle", fold);
  fold();
}

const middleOf = (one) => one.getBoundingClientRect().left + one.getBoundingClientRect().width / 2;
const nameOf = (one) => one.querySelector("summary").firstChild.textContent.trim(); // without its count, which changes
