// A file leaves as soon as it is chosen, with its progress shown; what stays in the form is the document's number.
// Without script the file goes with the form, and the server keeps it then.
export function startUploads() {
  document.addEventListener("change", (event) => {
    const input = event.target;
    if (input.type !== "file" || !input.files.length) return;
    if (input.dataset.upload) return send(input, input.files[0]);
    // The files go with their form; our button does not say by itself what was chosen, as the browser's would.
    const status = input.closest("[data-file]")?.querySelector("[data-status]");
    if (status) status.textContent = [...input.files].map((file) => file.name).join(" · ");
  });
}

function send(input, file) {
  const box = input.closest("[data-file]");
  const form = input.form;
  const status = box.querySelector("[data-status]");
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
  request.upload.addEventListener("progress", (step) => step.lengthComputable && (bar.value = step.loaded / step.total));
  request.addEventListener("load", () => {
    if (request.status === 200) {
      const kept = JSON.parse(request.responseText);
      box.querySelector("input[type=hidden]").value = kept.document_id;
      status.textContent = `${file.name} · ${kept.said}`;
      input.value = "";
      box.querySelector("input[type=hidden]").dispatchEvent(new Event("change", { bubbles: true }));
    } else {
      input.value = "";
      status.textContent = request.responseText.slice(0, 300) || input.dataset.failed;
    }
  });
  request.addEventListener("error", () => {
    status.textContent = input.dataset.failed;
  });
  request.send(body);
}
