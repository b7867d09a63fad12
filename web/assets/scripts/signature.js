// A signature drawn with finger, pen or mouse becomes an SVG path in the field; typing one's name in the field beside is the other way.
const SPACE = "http://www.w3.org/2000/svg";

export function startSignatures() {
  prepare(document);
  document.addEventListener("htmx:load", (event) => prepare(event.target));
}

function prepare(root) {
  for (const pad of root.querySelectorAll("svg[data-pad]")) if (!pad.dataset.ready) ready(pad);
}

function ready(pad) {
  pad.dataset.ready = "yes";
  const box = pad.closest("[data-signature]");
  box.hidden = false;
  const field = box.querySelector("input[type=hidden]");
  const strokes = field.value.startsWith("M") ? field.value.split(/(?=M)/) : [];
  let drawing = null;

  const point = (event) => {
    const frame = pad.getBoundingClientRect();
    const x = ((event.clientX - frame.left) / frame.width) * 480;
    const y = ((event.clientY - frame.top) / frame.height) * 160;
    return `${x.toFixed(0)} ${y.toFixed(0)}`;
  };
  const draw = () => {
    const line = document.createElementNS(SPACE, "path");
    line.setAttribute("d", [...strokes, drawing ?? ""].join("") || "M0 0");
    line.setAttribute("fill", "none");
    line.setAttribute("stroke", "currentColor");
    line.setAttribute("stroke-width", "2.5");
    line.setAttribute("stroke-linecap", "round");
    pad.replaceChildren(line);
  };
  const tell = () => {
    field.value = strokes.join("");
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };

  pad.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    pad.setPointerCapture(event.pointerId);
    drawing = `M${point(event)}`;
  });
  pad.addEventListener("pointermove", (event) => {
    if (drawing === null) return;
    drawing += `L${point(event)}`;
    draw();
  });
  const end = () => {
    if (drawing === null) return;
    if (drawing.includes("L")) strokes.push(drawing);
    drawing = null;
    draw();
    tell();
  };
  pad.addEventListener("pointerup", end);
  pad.addEventListener("pointercancel", end);
  box.querySelector("[data-clear]").addEventListener("click", () => {
    strokes.length = 0;
    draw();
    tell();
  });
  draw();
}
