// A list of which one chooses some or all: the box of all ticks every row, a row that is unticked unticks it, and how many are chosen stands beside the button.
// Without script the box of all speaks for every row by itself.
const form = document.querySelector("[data-choosing]");
const all = form.querySelector("[data-all]");
const rows = [...form.querySelectorAll("[data-one]")];
const count = form.querySelector("[data-chosen]");

function tell() {
  const chosen = all.checked ? Number(all.dataset.all) : rows.filter((one) => one.checked).length;
  count.textContent = count.dataset.chosen.replace("#", chosen);
}

form.addEventListener("change", ({ target }) => {
  if (target === all) for (const one of rows) one.checked = all.checked;
  else if (rows.includes(target)) all.checked = rows.length === Number(all.dataset.all) && rows.every((one) => one.checked);
  tell();
});
if (all.checked) for (const one of rows) one.checked = true;
tell();
