// Keeps on the server what is being typed: a moment after each change, at most five seconds later, and when the page is left.
const QUIET = 900;
const LONGEST = 5000;

export function startDrafts() {
  const waiting = new WeakMap();

  function changed(event) {
    const form = event.target.closest?.("form[data-draft]");
    if (!form) return;
    const state = waiting.get(form) ?? { since: performance.now() };
    clearTimeout(state.timer);
    const rest = Math.max(0, Math.min(QUIET, LONGEST - (performance.now() - state.since)));
    state.timer = setTimeout(() => save(form), rest);
    waiting.set(form, state);
    form.dataset.unsaved = "yes";
  }

  async function save(form) {
    waiting.delete(form);
    if (!form.isConnected) return;
    const saved = form.querySelector("[data-saved]");
    try {
      const answer = await fetch(form.dataset.draft, { method: "POST", body: typed(form), headers: { "HX-Request": "true" } });
      if (!answer.ok) throw new Error(String(answer.status));
      delete form.dataset.unsaved;
      if (saved) saved.textContent = await answer.text();
    } catch {
      if (saved) saved.textContent = form.dataset.unsavedText;
      waiting.set(form, { since: performance.now(), timer: setTimeout(() => save(form), LONGEST) });
    }
  }

  function leave() {
    for (const form of document.querySelectorAll("form[data-draft][data-unsaved]")) {
      navigator.sendBeacon(form.dataset.draft, typed(form));
      delete form.dataset.unsaved;
    }
  }

  document.addEventListener("input", changed);
  document.addEventListener("change", changed);
  window.addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && leave());
  document.addEventListener("submit", (event) => delete event.target.dataset.unsaved);
}

function typed(form) {
  const body = new FormData(form);
  for (const [name, value] of [...body]) if (value instanceof File) body.delete(name);
  return new URLSearchParams(body);
}
