// What a column is said to hold is chosen by the reader's word for it, among those there are; the file keeps DMN's.
import TypeRefCellContextMenu from "dmn-js-decision-table/lib/features/type-ref/components/TypeRefCellContextMenu";

class Type extends TypeRefCellContextMenu {
  render() {
    const made = super.render();
    made.children.children[1].props.noInput = true; // shown by its word, nothing to be typed
    return made;
  }
}

class Types {
  static $inject = ["components"];

  constructor(components) {
    components.onGetComponent("context-menu", 750, ({ contextMenuType } = {}) => /^(input|output)-edit$/.test(contextMenuType) && Type);
  }
}

export const types = { typeRefEditingProvider: ["type", Types] };
