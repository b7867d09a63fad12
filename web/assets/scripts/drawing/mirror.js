// The diagram drawn from right to left, for a reader of Arabic: every place mirrored, the file untouched. One looks, chooses and reads here; one draws in the
// other view.
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";
import { masar } from "./masar.js";
import { mirrored } from "./mirrored.js";
import { naming } from "./names.js";
import { translation } from "./words.js";

export class Mirror {
  constructor(place, context) {
    Object.assign(this, { place, context, viewer: null });
    context.modeler.get("eventBus").on("commandStack.changed", () => {
      if (this.viewer) this.later();
    });
    context.modeler.get("eventBus").on("selection.changed", () => this.mark());
  }

  async show() {
    this.look = { language: this.context.look.language, mirrored: true };
    this.viewer = new NavigatedViewer({ container: this.place, additionalModules: [naming(this.look), translation], moddleExtensions: { masar } });
    this.viewer.get("eventBus").on("element.click", ({ element }) => {
      const shape = this.context.modeler.get("elementRegistry").get((element.labelTarget ?? element).id);
      if (shape) this.context.select(shape, { show: false });
    });
    await this.draw();
    this.context.frame(this.viewer);
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.draw(), 300);
  }

  async draw() {
    const { xml } = await this.context.modeler.saveXML();
    const box = this.viewer.get("canvas").viewbox();
    const isFirst = !this.viewer.getDefinitions();
    this.look.language = this.context.look.language;
    await this.viewer.importXML(mirrored(xml));
    if (!isFirst) this.viewer.get("canvas").viewbox(box);
    this.mark();
    this.context.findings.paint();
  }

  mark() {
    if (!this.viewer?.getDefinitions()) return;
    const registry = this.viewer.get("elementRegistry");
    const chosen = this.context.modeler.get("selection").get().map((one) => registry.get((one.labelTarget ?? one).id)).filter(Boolean);
    this.viewer.get("selection").select(chosen);
    if (chosen[0]) this.viewer.get("canvas").scrollToElement(chosen[0], 80);
  }

  hide() {
    this.viewer?.destroy();
    this.viewer = null;
  }
}
