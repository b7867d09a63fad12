// What is said of the saving of the file, and the choices when a colleague saved too, when the editor cannot read all of it, when another file is brought in.
import { button, h, icon } from "./fields.js";
import { t, time } from "./words.js";

const LARGEST = 1_000_000;
const IDLE = 20_000;
const SAID = { changed: "pencil", saving: "hourglass-split", saved: "check-circle", conflict: "people", line: "exclamation-triangle", refused: "exclamation-octagon", newer: "people" };

export class Keeping {
  constructor(place, notice, context) {
    Object.assign(this, { place, notice, context, touched: performance.now() });
    for (const event of ["keydown", "pointerdown"]) document.addEventListener(event, () => (this.touched = performance.now()), true);
  }

  say(state, details) {
    this.place.replaceChildren(icon(SAID[state]), " ", t(`state.${state}`, { ...details, at: details.at ? time(details.at) : "" }));
    this.place.dataset.state = state;
    if (state === "saved") {
      this.context.findings.ask();
      if (this.notice.dataset.about === "conflict") this.tell();
    } else if (state === "conflict") this.choose(details);
    else if (state === "refused") this.tell("late", details.message || t("refused_unsaid"));
    else if (state === "newer") this.renew(details);
  }

  /** A sentence above the diagram, with what may be done; without one, nothing. */
  tell(kind, sentence, acts = [], about = "") {
    this.notice.dataset.about = about;
    this.notice.replaceChildren(
      ...(sentence ? [h("div", { class: `notice notice-${kind}` }, icon(kind === "late" ? "exclamation-triangle" : "people"), h("div", {}, h("p", {}, sentence), acts.length > 0 && h("p", { class: "row-line" }, acts)))] : []),
    );
  }

  choose({ message }) {
    const { saver, draft, path } = this.context;
    const mine = async () => {
      if (await saver.takeMine()) this.tell();
      else this.tell("late", t("conflict_again"));
    };
    const theirs = async () => {
      await this.context.open(await saver.takeTheirs());
      this.tell("due", t("conflict_theirs"), [h("a", { href: `${draft}/files/${path}` }, t("conflict_see"))]);
    };
    this.tell("due", message, [button(t("conflict_mine"), mine), button(t("conflict_take_theirs"), theirs), h("a", { href: `${draft}/files/${path}`, target: "_blank", rel: "noopener" }, t("conflict_see"))], "conflict");
  }

  async renew({ who, at }) {
    const load = async () => {
      await this.context.open(await this.context.saver.takeTheirs());
      this.tell();
      this.context.announce(t("newer_loaded", { who, at: time(at) }));
    };
    if (performance.now() - this.touched > IDLE) await load();
    else this.tell("due", t("newer", { who, at: time(at) }), [button(t("newer_load"), load)], "conflict");
  }

  /** What bpmn-js could not read would be lost at the first save: she is told, and the file stays as it is until she says so. */
  warn(warnings, acts = []) {
    const { saver, maySave } = this.context;
    if (!maySave) return;
    saver.touch = () => {};
    const go = () => {
      delete saver.touch;
      if (acts.length || this.context.modeler.get("commandStack").canUndo()) saver.touch();
      this.tell();
    };
    this.tell("late", t("unread", { what: warnings.slice(0, 3).map((one) => one.message.split("\n")[0]).join(" · ") }), [button(t("unread_go"), go), ...acts]);
  }

  /** Another file in the place of this one; the former can be taken up again at once. */
  async bring(sent) {
    const { modeler, saver, open } = this.context;
    if (Object.hasOwn(saver, "touch")) return undefined; // she has still to say what becomes of the last one
    if (sent.size > LARGEST) return this.tell("late", t("import_large"));
    const before = (await modeler.saveXML({ format: true })).xml;
    const back = async () => {
      delete saver.touch;
      await open(before);
      saver.touch();
      this.tell();
    };
    let warnings;
    try {
      warnings = await open(await sent.text());
    } catch (fault) {
      await open(before);
      return this.tell("late", fault.said ?? t("import_unread", { name: sent.name }));
    }
    if (warnings.length) return this.warn(warnings, [button(t("import_back"), back)]);
    saver.touch();
    return this.tell("due", t("imported", { name: sent.name }), [button(t("import_back"), back)]);
  }
}
