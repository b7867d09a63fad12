// A fact goes where the cursor was in the letter's texts: said to the server with the button that inserts it. A text nobody was in gets it at its end.
export function startCarets() {
  const entered = new WeakSet();
  document.addEventListener("focusin", ({ target }) => target.dataset?.caret && entered.add(target));
  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("[data-carets]");
    if (!button) return;
    for (const language of ["fr", "ar"]) {
      const text = document.getElementById(`${button.dataset.carets}-${language}`);
      if (entered.has(text)) button.form.elements[`caret-${language}`].value = text.selectionStart;
    }
  });
}
