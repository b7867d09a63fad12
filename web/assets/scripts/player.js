// The player of a case: drag, play, step, jump. It fetches what the links of the page show and puts it in their place; diagrams stay, and are marked anew.
const player = document.querySelector("#player");
const range = player.querySelector("#at");
const said = player.querySelector("#announced");
const TEMPO = 1400; // milliseconds an instant is shown while playing
let asking = null;
let playing = null;
let dragging = null;

const moment = () => player.querySelector("#moment");
const number = (name) => Number(moment().dataset[name]);
const link = (name) => moment().querySelector(`a[data-go="${name}"]:not([aria-disabled])`);

async function go(address) {
  asking?.abort();
  asking = new AbortController();
  try {
    const answer = await fetch(address, { headers: { "hx-request": "true" }, signal: asking.signal });
    const template = document.createElement("template");
    template.innerHTML = answer.ok ? await answer.text() : "";
    const next = template.content.querySelector("#moment");
    if (!next) {
      location.assign(address); // signed out, or refused: the page says so
      return false;
    }
    put(next);
    return true;
  } catch (fault) {
    if (fault.name !== "AbortError") location.assign(address);
    return false;
  }
}

function put(next) {
  const focus = document.activeElement?.closest?.("#moment [data-go], #moment [data-do]");
  const had = focus && (focus.dataset.go ? `[data-go="${focus.dataset.go}"]` : `[data-do="${focus.dataset.do}"]`);
  const open = [...moment().querySelectorAll("details[data-fold][open]")].map((one) => one.dataset.fold);
  for (const canvas of next.querySelectorAll(".canvas")) keep(canvas);
  for (const name of open) next.querySelector(`details[data-fold="${name}"]`)?.setAttribute("open", "");
  moment().replaceWith(next);
  range.value = next.dataset.seq;
  range.max = next.dataset.last;
  range.setAttribute("aria-valuetext", next.dataset.announced);
  said.textContent = next.dataset.announced;
  history.replaceState(null, "", next.dataset.address);
  if (had) next.querySelector(had)?.focus({ preventScroll: true });
  dress();
  document.dispatchEvent(new CustomEvent("masar:shown", { detail: next }));
}

// A diagram that is drawn already is put where the new one would be, and told where the case stands now.
function keep(canvas) {
  const old = [...moment().querySelectorAll(".canvas[data-ready]")].find((one) => one.dataset.slot === canvas.dataset.slot && one.dataset.diagram === canvas.dataset.diagram);
  if (!old) return;
  for (const name of ["done", "here", "stopped", "heat"]) old.dataset[name] = canvas.dataset[name];
  old.setAttribute("aria-label", canvas.getAttribute("aria-label"));
  canvas.replaceWith(old);
  queueMicrotask(() => old.dispatchEvent(new Event("masar:stand")));
}

function at(seq) {
  const address = new URL(moment().dataset.address, location.href);
  address.searchParams.set("at", seq);
  return address.pathname + address.search;
}

function stop() {
  clearTimeout(playing);
  playing = null;
  dress();
}

function play() {
  playing = setTimeout(async () => {
    const on = link("on");
    if (!on || !(await go(on.getAttribute("href"))) || !link("on")) stop();
    else if (playing) play();
  }, TEMPO);
  dress();
}

function dress() {
  const button = moment().querySelector("[data-do=play]");
  button.textContent = playing ? player.dataset.pause : player.dataset.play;
}

range.addEventListener("input", () => {
  stop();
  clearTimeout(dragging);
  let seq = Number(range.value);
  if (seq < number("seq") && seq >= number("first")) seq = Math.max(1, number("first") - 1); // inside the act: one step back
  dragging = setTimeout(() => go(at(seq)), 60);
});

player.addEventListener("click", (event) => {
  if (event.target.closest("[data-do=play]")) {
    if (playing) stop();
    else play();
    return;
  }
  const asked = event.target.closest("a[data-go]");
  if (!asked || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  if (asked.getAttribute("aria-disabled") === "true") return;
  stop();
  go(asked.getAttribute("href"));
});

const KEYS = { ".": "on", ",": "back", h: "handover", d: "decision", l: "delay", H: "back-handover", D: "back-decision", L: "back-delay" };
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=range]), select, textarea, summary")) return;
  if (event.key === " " && !event.target.closest("a, button")) {
    event.preventDefault();
    if (playing) stop();
    else play();
    return;
  }
  const asked = KEYS[event.key] && link(KEYS[event.key]);
  if (!asked) return;
  event.preventDefault();
  stop();
  go(asked.getAttribute("href"));
});
