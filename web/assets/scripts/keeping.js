// What is typed into a task, into the form of something unforeseen or into a note, kept on this device until the server has it: a lost line, a closed tab and an ended session take nothing away.
// It is sealed with a key that the server gives to whoever signs in and that no device holds: a lost telephone tells nothing.
// What was handed in without a line is sent once, when there is one again: the form's own submission key makes a second sending the same.
import htmx from "htmx.org";
import { clear, NOBODY_THERE, say } from "./trouble.js";

const PREFIX = "masar:";
const MOMENT = 300;
const AGAIN = 5000;
const LONGEST = 30000;
const SAID = "masar-said";
const OURS = new Set(["version", "key", "draft", "csrf"]); // of the page, not of what is typed

export async function startKeeping() {
  if (!crypto.subtle || !document.querySelector("[data-keeps]")) return;
  if (!document.querySelector("form[data-keep]") && !Object.keys(localStorage).some((one) => one.startsWith(PREFIX))) return;
  const form = document.querySelector("form[data-keep]");
  const begun = form && typedIn(form);
  const given = await keyOfTheReader();
  if (!given) return;
  const shelf = shelfOf(given.owner, await crypto.subtle.importKey("raw", bytes(given.key), "AES-GCM", false, ["encrypt", "decrypt"]));
  const keep = keepTheForm(shelf, begun);
  if (await sendAll(shelf)) await giveBack(shelf);
  if (form?.isConnected && typedIn(form) !== begun && !(await shelf.get(addressOf(form)))) await keep(); // typed before the key came
}

// The line may be lost before the key is there: it is asked for until it comes.
async function keyOfTheReader() {
  for (;;) {
    const answer = await fetch("/account/keeping").catch(() => null);
    if (answer?.ok) return answer.json();
    if (answer && !NOBODY_THERE.has(answer.status)) return null;
    await new Promise((resolve) => (addEventListener("online", resolve, { once: true }), setTimeout(resolve, AGAIN)));
  }
}

// One sealed record an address: {pairs, bases, name, isSent}. `bases`: what the server had when the typing began, and what was on its way there since.
function shelfOf(owner, key) {
  const prefix = `${PREFIX}${owner}:`;
  const get = async (address) => {
    const [iv, sealed] = (localStorage.getItem(prefix + address) ?? "").split(".");
    if (!sealed) return null;
    try {
      const open = await crypto.subtle.decrypt({ name: "AES-GCM", iv: bytes(iv), additionalData: text(address) }, key, bytes(sealed));
      return JSON.parse(new TextDecoder().decode(open));
    } catch {
      return null; // of a key that is no more
    }
  };
  return {
    get,
    async put(address, record) {
      const iv = crypto.getRandomValues(new Uint8Array(12));
      const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: text(address) }, key, text(JSON.stringify(record)));
      localStorage.setItem(prefix + address, `${base64(iv)}.${base64(new Uint8Array(sealed))}`);
    },
    drop: (address) => localStorage.removeItem(prefix + address),
    addresses: () => Object.keys(localStorage).filter((one) => one.startsWith(prefix)).map((one) => one.slice(prefix.length)),
  };
}

function keepTheForm(shelf, begun) {
  let timer;
  let bases = begun ? [begun] : [];
  const form = () => document.querySelector("form[data-keep]");

  async function keep(isSent = false) {
    clearTimeout(timer);
    timer = null;
    const one = form();
    if (one) await shelf.put(addressOf(one), { pairs: pairsOf(one), bases, name: document.querySelector("h1")?.textContent ?? "", isSent });
  }

  const typing = (event) => {
    if (!event.target.closest?.("form[data-keep]")) return;
    timer ??= setTimeout(keep, MOMENT);
  };
  document.addEventListener("input", typing);
  document.addEventListener("change", typing);
  document.addEventListener("masar:keeps", ({ detail }) => (bases = [...bases.filter((one) => one !== answersOf(detail)), answersOf(detail)]));
  document.addEventListener("masar:kept", () => {
    bases = bases.slice(-1);
    if (!form() || bases[0] !== typedIn(form())) return void (timer ??= setTimeout(keep, MOMENT)); // more was typed since
    timer = clearTimeout(timer);
    shelf.drop(addressOf(form()));
  });
  document.addEventListener("htmx:afterSettle", () => form()?.dataset.draft && !form().dataset.unsaved && (bases = [typedIn(form())]));

  document.addEventListener("masar:elsewhere", async () => {
    await keep();
    const record = await shelf.get(here());
    if (record) choose(() => restore(shelf, form(), record), () => (shelf.drop(here()), location.reload()));
  });

  // Done, or given back: nothing of it stays here. (Of an answer that leads elsewhere htmx does not say `successful`.)
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (!(detail.xhr.status < 400) || !form()?.contains(detail.elt) || !detail.xhr.getResponseHeader("HX-Redirect")) return;
    clearTimeout(timer);
    shelf.drop(addressOf(form()));
  });

  // Whoever leaves it wants nothing of it kept.
  document.addEventListener("click", (event) => {
    if (!form() || !event.target.closest?.("[data-gives-up]")) return;
    clearTimeout(timer);
    shelf.drop(addressOf(form()));
  });

  // The whole form did not reach the server, or nobody is signed in any more.
  const lost = async (event) => {
    const one = form();
    if (!one || event.detail.requestConfig?.verb !== "post" || !one.contains(event.detail.elt)) return;
    const act = event.detail.requestConfig.triggeringEvent?.submitter?.value;
    const isQueued = act === "complete" && (event.type !== "htmx:responseError" || NOBODY_THERE.has(event.detail.xhr.status));
    const isWhole = !one.querySelector("[data-waits]"); // a file that has not left yet leaves with the page: it is handed in again then
    await keep(isQueued && isWhole);
    if (isQueued && isWhole) wait(shelf);
  };
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) document.addEventListener(name, lost);
  return keep;
}

// Handed in without a line: it is said, and tried until it is there. Typing on takes it back.
function wait(shelf) {
  say("queued");
  const stop = () => {
    clearInterval(timer);
    removeEventListener("online", attempt);
    document.removeEventListener("input", typing);
  };
  const attempt = async () => (await sendAll(shelf)) && stop();
  const typing = (event) => {
    if (!event.target.closest?.("form[data-keep]")) return;
    stop();
    clear();
  };
  const timer = setInterval(attempt, AGAIN);
  addEventListener("online", attempt);
  document.addEventListener("input", typing);
}

// Sends what waits; false where the line is still lost.
async function sendAll(shelf) {
  const csrf = document.querySelector("input[name=csrf]")?.value;
  if (!csrf) return true;
  for (const address of shelf.addresses()) {
    const record = await shelf.get(address);
    if (!record?.isSent) continue;
    const answer = await post(address, [...record.pairs, ["act", "complete"]], csrf);
    if (!answer) return false;
    if (answer.status === 401) return true; // whoever signs in again sends it
    const onward = answer.ok && answer.headers.get("hx-redirect");
    if (onward) {
      shelf.drop(address);
      if (here() === address) location.assign(onward);
      else say("sent", "", record.name, "notice-good");
      continue;
    }
    await shelf.put(address, { ...record, isSent: false });
    if (here() !== address) say("unsent", address, record.name);
    else if (draft() && typedIn(draft()) === answersOf(record.pairs)) document.querySelector("button[value=complete]")?.click(); // what is wrong is shown as ever
    else if (draft()) continue; // another typing than what was handed in: it is given back first
    else show(await answer.text()), clear(); // it was sent: the answer says what came of it
  }
  return true;
}

// What was typed here and never reached the server comes back; where the server has something else by now, the reader chooses.
async function giveBack(shelf) {
  const said = sessionStorage.getItem(SAID);
  sessionStorage.removeItem(SAID);
  const address = here();
  const record = await shelf.get(address);
  const form = document.querySelector("form[data-keep]");
  if (said && form) say("restored", "", "", "notice-good");
  if (!record || record.isSent) return;
  const csrf = document.querySelector("input[name=csrf]")?.value;
  if (!form) {
    const answer = await post(address, [...record.pairs, ["act", "complete"]], csrf); // done by somebody else meanwhile: the answer lists what was typed
    if (answer?.status === 409) show(await answer.text());
    else if (answer?.ok) shelf.drop(address);
    return;
  }
  const mine = answersOf(record.pairs);
  if (mine === typedIn(form)) return form.dataset.draft && shelf.drop(address);
  if (record.bases.includes(typedIn(form))) return restore(shelf, form, record);
  choose(() => restore(shelf, form, record), () => shelf.drop(address));
}

// Puts what was typed here into the page again, in the place of whatever the server has: she chose so, or it has only what this began from.
async function restore(shelf, form, record) {
  const csrf = document.querySelector("input[name=csrf]").value;
  if (!form.dataset.draft) { // nothing of it is kept by the server before it is handed in: it stays here too
    const answer = await post(here(), [...record.pairs, ["act", "refresh"]], csrf);
    if (!answer?.ok) return say("line");
    show(await answer.text());
    return say("restored", "", "", "notice-good");
  }
  const answer = await post(form.dataset.draft, record.pairs.filter(([name]) => !OURS.has(name)), csrf);
  if (!answer?.ok) return say("line");
  shelf.drop(here());
  sessionStorage.setItem(SAID, "1");
  return location.reload();
}

function choose(take, leave) {
  const box = say("differs");
  for (const [name, act] of [["take", take], ["leave", leave]]) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-quiet btn-sm";
    button.textContent = document.getElementById("trouble").dataset[name];
    button.addEventListener("click", () => (clear(), act()));
    box.append(button, " ");
  }
}

async function post(address, pairs, csrf) {
  const body = new URLSearchParams([...pairs.filter(([name]) => name !== "csrf"), ["csrf", csrf]]);
  const headers = { "HX-Request": "true" };
  const answer = await fetch(address, { method: "POST", body, headers, signal: AbortSignal.timeout(LONGEST) }).catch(() => null);
  return NOBODY_THERE.has(answer?.status) ? null : answer;
}

function show(page) {
  const main = new DOMParser().parseFromString(page, "text/html").querySelector("main");
  if (!main) return;
  document.querySelector("main").replaceWith(document.adoptNode(main));
  htmx.process(document.querySelector("main"));
}

const draft = () => document.querySelector("form[data-keep][data-draft]");
const addressOf = (form) => new URL(form.action).pathname;
const here = () => (document.querySelector("form[data-keep]") ? addressOf(document.querySelector("form[data-keep]")) : location.pathname);
const pairsOf = (form) => [...new FormData(form)].filter(([name, value]) => name !== "csrf" && !(value instanceof File));
const answersOf = (pairs) => JSON.stringify(pairs.filter(([name, value]) => value !== "" && !OURS.has(name)));
const typedIn = (form) => answersOf(pairsOf(form));
const text = (one) => new TextEncoder().encode(one);
const bytes = (one) => Uint8Array.from(atob(one), (letter) => letter.charCodeAt(0));
const base64 = (one) => btoa(Array.from(one, (byte) => String.fromCharCode(byte)).join(""));
