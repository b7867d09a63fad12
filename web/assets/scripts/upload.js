// A file leaves as soon as it is chosen, with its progress shown; what stays in the form is the document's number. Where there is no line it waits in the page, and
// leaves when there is one again. Without script the file goes with the form, and the server keeps it then.
import { NOBODY_THERE } from "./trouble.js";

const AGAIN = 5000;
const turns = new Map(); // by input: counts what was chosen, so that what waited gives way to what is chosen after it

export function startUploads() {
  document.addEventListener("change", (event) => {
    const input = event.target;
    if (input.type !== "file" || !input.files.length) return;
    if (input.dataset.upload) {
      turns.set(input.id, (turns.get(input.id) ?? 0) + 1);
      return send(input, input.files[0], turns.get(input.id));
    }
    // The files go with their form; our button does not say by itself what was chosen, as the browser's would.
    const box = input.closest("[data-file]");
    if (!box) return;
    box.dataset.waits = "yes";
    box.querySelector("[data-status]").textContent = [...input.files].map((file) => file.name).join(" · ");
  });
}

function send(input, file, turn) {
  const box = input.closest("[data-file]");
  const form = input.form;
  const status = box.querySelector("[data-status]");
  if (file.size > Number(input.dataset.largest)) {
    input.value = "";
    return (status.textContent = `${file.name} · ${input.dataset.tooLarge}`);
  }
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", file.name);
  status.replaceChildren(file.name, " ", bar);

  const body = new FormData();
  body.append("csrf", form.elements.csrf.value);
  body.append("file", file);
  const request = new XMLHttpRequest();
  request.open("POST", input.dataset.upload);
  request.setRequestHeader("HX-Request", "true");
  request.setRequestHeader("Accept", "application/json"); // a refusal as its sentence alone
  request.upload.addEventListener("progress", (step) => step.lengthComputable && (bar.value = step.loaded / step.total));
  request.addEventListener("load", () => {
    if (NOBODY_THERE.has(request.status)) return wait();
    delete box.dataset.waits;
    input.value = "";
    if (request.status !== 200) return (status.textContent = request.responseText.slice(0, 300) || input.dataset.failed);
    const kept = JSON.parse(request.responseText);
    box.querySelector("input[type=hidden]").value = kept.document_id;
    status.textContent = `${file.name} · ${kept.said}`;
    box.querySelector("input[type=hidden]").dispatchEvent(new Event("change", { bubbles: true }));
  });
  request.addEventListener("error", wait);
  request.send(body);

  function wait() {
    box.dataset.waits = "yes";
    status.textContent = `${file.name} · ${input.dataset.unsent}`;
    const again = () => {
      clearTimeout(timer);
      removeEventListener("online", again);
      const there = document.getElementById(input.id); // the form may have been put into the page anew
      if (there && turns.get(input.id) === turn) send(there, file, turn);
    };
    const timer = setTimeout(again, AGAIN);
    addEventListener("online", again);
  }
}
