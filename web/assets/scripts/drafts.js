// Keeps on the server what is being typed: a moment after each change, at most five seconds later, and when the page is left.
// What is handed in is kept by that: nothing of it is sent behind it.
import { expired } from "./trouble.js";

const QUIET = 900;
const LONGEST = 5000;

export function startDrafts() {
  const waiting = new WeakMap();
  const sending = new WeakMap(); // the form's request under way

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
    if (sending.has(form)) return again(form, QUIET); // the next is made from the version that this one's answer names
    const saved = form.querySelector("[data-saved]");
    const request = new AbortController();
    const body = typed(form);
    sending.set(form, request);
    form.dispatchEvent(new CustomEvent("masar:keeps", { bubbles: true, detail: [...body] }));
    try {
      const answer = await fetch(form.dataset.draft, { method: "POST", body, headers: { "HX-Request": "true", accept: "application/json" }, signal: request.signal });
      if (answer.status === 409 && !answer.headers.has("masar-aside")) return elsewhere(form, saved, await answer.text());
      if (answer.status === 401) expired();
      if (!answer.ok && !answer.headers.has("masar-aside")) throw new Error(String(answer.status)); // what stands aside is kept too, and says so
      if (!waiting.has(form)) delete form.dataset.unsaved; // more was typed meanwhile
      const version = answer.headers.get("masar-version");
      if (version) form.elements.version.setAttribute("value", version);
      if (saved) saved.textContent = await answer.text();
      if (saved && answer.headers.has("masar-aside")) saved.append(" ", compare(form, answer.headers.get("masar-aside")));
      form.dispatchEvent(new CustomEvent("masar:kept", { bubbles: true }));
    } catch {
      if (request.signal.aborted) return;
      if (saved) saved.textContent = form.dataset.unsavedText;
      again(form, LONGEST);
    } finally {
      sending.delete(form);
    }
  }

  // Another page of hers kept something meanwhile: nothing is sent again before she has chosen, or typed on.
  function elsewhere(form, saved, sentence) {
    delete form.dataset.unsaved;
    if (saved) saved.textContent = sentence;
    form.dispatchEvent(new CustomEvent("masar:elsewhere", { bubbles: true }));
  }

  function again(form, delay) {
    waiting.set(form, { since: performance.now(), timer: setTimeout(() => save(form), delay) });
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
  document.addEventListener("submit", ({ target: form }) => {
    delete form.dataset.unsaved;
    clearTimeout(waiting.get(form)?.timer);
    waiting.delete(form);
    sending.get(form)?.abort();
  });
}

// The page of the file is where the two are read side by side; when it is this one, it is opened anew.
function compare(form, aside) {
  const link = document.createElement("a");
  link.href = `${form.dataset.draft}?beside#aside-${aside}`;
  link.textContent = form.dataset.compare;
  return link;
}

function typed(form) {
  const body = new FormData(form);
  for (const [name, value] of [...body]) if (value instanceof File) body.delete(name);
  return new URLSearchParams(body);
}
