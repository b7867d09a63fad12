// Bundles what the browser needs into dist/, each file named after its content, and writes dist/manifest.json (name -> file).
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const DIST = "dist";
const ICONS = [
  "arrow-right", "arrow-left", "arrow-up", "arrow-down", "arrow-clockwise", "box-arrow-right", "calendar-event", "check-circle", "check-lg", "check2-square",
  "chevron-down", "chevron-right", "circle", "clock", "clock-history", "diagram-3", "dash-circle", "download", "exclamation-octagon", "exclamation-triangle",
  "eye-slash", "file-earmark", "file-earmark-arrow-up", "folder2-open", "gear", "globe2", "hand-index", "hourglass-split",
  "house-door", "inbox", "info-circle", "keyboard", "list-check", "lock", "pencil", "people", "person", "person-badge",
  "person-check", "person-plus", "plus-lg", "question-circle", "receipt", "record-circle", "search", "send", "shield-check", "trash", "unlock",
  "x-lg", "bell", "cash-coin", "printer", "key", "laptop", "telephone", "upload", "translate", "arrow-left-right", "building", "geo-alt",
  "arrow-counterclockwise", "zoom-in", "zoom-out", "arrows-fullscreen",
];

rmSync(DIST, { recursive: true, force: true });
mkdirSync(DIST);

// Two libraries of dmn-js write styles into the page as text, which the content policy refuses; as objects they are accepted, and look the same:
// CodeMirror's sheets, and the styles in the markup that domify reads (the drawing of bpmn.io's mark among them, which must stay as it is).
const PATCHES = [
  [/style-mod[\\/]src[\\/]style-mod\.js$/, "!root.head && root.adoptedStyleSheets", "root.adoptedStyleSheets"],
  [
    /[\\/]domify[\\/]index\.js$/,
    "element.innerHTML = prefix + htmlString + suffix;",
    `element.innerHTML = prefix + htmlString.replace(/\\sstyle="/g, ' data-style="') + suffix;
     for (const one of element.querySelectorAll("[data-style]")) { one.style.cssText = one.dataset.style; one.removeAttribute("data-style"); }`,
  ],
];
const styles = {
  name: "styles as objects",
  setup({ onLoad }) {
    for (const [filter, from, to] of PATCHES) {
      onLoad({ filter }, ({ path }) => {
        const before = readFileSync(path, "utf8");
        if (!before.includes(from)) throw new Error(`${path} is written otherwise than when its styles were looked at`);
        return { contents: before.replace(from, () => to) };
      });
    }
  },
};

const result = await build({
  entryPoints: { app: "scripts/app.js", choosing: "scripts/choosing.js", diagram: "scripts/diagram.js", player: "scripts/player.js", drawing: "scripts/drawing/editor.js", tables: "scripts/tables/editor.js", ltr: "styles/ltr.css", rtl: "styles/rtl.css", light: "styles/light.css", diagram_style: "styles/diagram.css", drawing_style: "styles/drawing.css", tables_style: "styles/tables.css" },
  outdir: DIST,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2020", "chrome100", "firefox100", "safari15"],
  entryNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  loader: { ".woff2": "file", ".woff": "file", ".ttf": "file", ".eot": "file", ".svg": "file" },
  legalComments: "linked",
  metafile: true,
  plugins: [styles],
  logLevel: "warning",
});

const manifest = {};
for (const [file, output] of Object.entries(result.metafile.outputs)) {
  if (output.entryPoint) manifest[basename(file).replace(/-[A-Z0-9]+\./, ".")] = basename(file);
}

// Icons as one sprite: <svg><use href="/assets/icons-….svg#name"/></svg> needs neither inline markup nor a font.
const symbols = ICONS.map((name) => {
  const source = readFileSync(join("node_modules/bootstrap-icons/icons", `${name}.svg`), "utf8");
  const box = source.match(/viewBox="([^"]+)"/)[1];
  const inner = source.replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "").trim();
  return `<symbol id="${name}" viewBox="${box}">${inner}</symbol>`;
});
const mark = readFileSync("styles/mark.svg", "utf8").replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "").trim();
symbols.push(`<symbol id="masar" viewBox="0 0 32 32">${mark}</symbol>`);
const sprite = `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
place("icons.svg", sprite);
place("mark.svg", readFileSync("styles/mark.svg"));

// The fonts of printed letters: Amiri alone keeps the words of both scripts in the PDF's text as they are read.
mkdirSync(join(DIST, "print"));
for (const face of ["400Regular", "700Bold"]) {
  copyFileSync(`node_modules/@expo-google-fonts/amiri/${face}/Amiri_${face}.ttf`, join(DIST, "print", `Amiri_${face}.ttf`));
}
copyFileSync("node_modules/@expo-google-fonts/amiri/LICENSE_FONT", join(DIST, "print", "OFL.txt"));

function place(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 8).toUpperCase();
  const file = name.replace(".", `-${hash}.`);
  writeFileSync(join(DIST, file), content);
  manifest[name] = file;
}

writeFileSync(join(DIST, "manifest.json"), JSON.stringify(manifest, null, 1));
