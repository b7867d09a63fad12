// The judge's findings beside tables: the same list as beside diagrams; a click opens the table and chooses the line.
import { Findings } from "../drawing/findings.js";
import { t } from "../drawing/words.js";

export class TableFindings extends Findings {
  paint() {
    this.context.outline.later();
  }

  async choose(finding) {
    await this.context.select(finding.element);
    this.context.announce(t("chosen", { name: finding.element || this.context.fileName }));
  }
}
