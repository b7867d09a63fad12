// What is typed while the server's answer is on its way stays: the answer was made of what had been sent, and must not put it back.
export function keepTyping() {
  const sent = new WeakMap();

  document.addEventListener("htmx:beforeRequest", (event) => {
    const form = event.detail.elt.closest?.("form[data-draft], form[data-typed]");
    if (form) sent.set(event.detail.xhr, { id: form.id, values: valuesOf(form) });
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    const then = sent.get(event.detail.xhr);
    const form = then && document.getElementById(then.id);
    if (!form) return;
    const now = valuesOf(form);
    then.since = [...now].filter(([key, value]) => then.values.has(key) && then.values.get(key) !== value);
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    const then = sent.get(event.detail.xhr);
    const form = then?.since?.length && document.getElementById(then.id);
    if (!form) return;
    const controls = new Map(controlsOf(form).map((control) => [keyOf(control), control]));
    for (const [key, value] of then.since) {
      const control = controls.get(key);
      if (!control) continue;
      if (isTicked(control)) control.checked = value;
      else control.value = value;
    }
  });
}

const controlsOf = (form) => [...form.elements].filter((control) => control.name && control.type !== "file" && control.type !== "submit");
const isTicked = (control) => control.type === "checkbox" || control.type === "radio";
const keyOf = (control) => control.id || control.name;
const valuesOf = (form) => new Map(controlsOf(form).map((control) => [keyOf(control), isTicked(control) ? control.checked : control.value]));
