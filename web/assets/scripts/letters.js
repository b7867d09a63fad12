// The letter that a key stands for in shortcuts: on a keyboard of Arabic letters, the Latin one of its place, by the reader's own keyboard (QWERTY, AZERTY) where the browser tells of it.
const ARABIC = /[\u0600-\u06ff]/;
let layout = null;
navigator.keyboard?.getLayoutMap?.().then((told) => (layout = told), () => {});

export function keyOf(event) {
  if (event.key === "؟") return "?";
  const isLetter = ARABIC.test(event.key) && event.code.startsWith("Key");
  return isLetter ? (layout?.get(event.code) ?? event.code.slice(3).toLowerCase()) : event.key;
}
