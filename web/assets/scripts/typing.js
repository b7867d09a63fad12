// What is typed or chosen while the server's answer is on its way stays: the answer was made of what had been sent, and must not put it back.
// What she unfolded stays unfolded, and what she folded folded.
// Where the answer shows another thing than was sent (another place is open, a condition was added), it is the answer that stays.
export function keepTyping() {
  const sent = new WeakMap();
  const part = (target) => document.getElementById(target.id) ?? target;

  document.addEventListener("htmx:beforeRequest", ({ detail: { xhr, target } }) => sent.set(xhr, { then: valuesOf(part(target)) }));

  document.addEventListener("htmx:beforeSwap", ({ detail: { xhr, target } }) => {
    const one = sent.get(xhr);
    if (!one) return;
    one.folds = new Map(foldsOf(part(target)).map((fold) => [nameOf(fold), fold.open]));
    one.since = [...valuesOf(part(target))].filter(([key, value]) => one.then.has(key) && one.then.get(key) !== value);
  });

  document.addEventListener("htmx:afterSwap", ({ detail: { xhr, target } }) => {
    const one = sent.get(xhr);
    if (!one?.folds) return;
    for (const fold of foldsOf(part(target))) fold.open = one.folds.get(nameOf(fold)) ?? fold.open;
    if (!one.since.length) return;
    const controls = new Map(controlsOf(part(target)).map((control) => [keyOf(control), control]));
    for (const [key, value] of one.since) {
      const control = controls.get(key);
      if (!control || trimmed(valueOf(control)) !== trimmed(one.then.get(key))) continue;
      if (isTicked(control)) control.checked = value;
      else control.value = value;
    }
  });
}

const foldsOf = (part) => [...part.querySelectorAll("details")];
const nameOf = (fold) => fold.id || (fold.querySelector("summary")?.textContent ?? "").replace(/\d+/g, "").trim(); // without counts, which change
const controlsOf = (part) => [...part.querySelectorAll("input[name], select[name], textarea[name]")].filter((control) => !["file", "submit"].includes(control.type));
const isTicked = (control) => control.type === "checkbox" || control.type === "radio";
const keyOf = (control) => control.id || `${control.form?.id} ${control.name}${isTicked(control) ? ` ${control.value}` : ""}`;
const valueOf = (control) => (isTicked(control) ? control.checked : control.value);
const valuesOf = (part) => new Map(controlsOf(part).map((control) => [keyOf(control), valueOf(control)]));
const trimmed = (value) => (typeof value === "string" ? value.trim() : value);
