// A fact goes where the cursor was in the letter's texts: said to the server with the button that inserts it. A text nobody was in gets it at its end.
export function startCarets() {
  const left = new Map(); // where the cursor was in each text, by its id: the text itself is another after each save
  document.addEventListener("focusout", ({ target }) => target.dataset?.caret && left.set(target.id, target.selectionStart));
  document.addEventListener("htmx:configRequest", ({ detail: { parameters, triggeringEvent } }) => {
    const button = triggeringEvent?.submitter;
    if (button?.name !== "act") return;
    if (!button.dataset.carets) return left.clear(); // places move, go and come
    for (const language of ["fr", "ar"]) {
      const at = left.get(`${button.dataset.carets}-${language}`);
      if (at !== undefined) parameters[`caret-${language}`] = at;
    }
  });
}
