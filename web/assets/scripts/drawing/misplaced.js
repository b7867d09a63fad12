// What an element of another kind loses: what was said of the former kind alone.
import { is, isAny } from "bpmn-js/lib/util/ModelUtil";

const isOfMessage = (object) => isAny(object, ["bpmn:SendTask", "bpmn:ReceiveTask"]) || object.get("eventDefinitions")?.some((one) => is(one, "bpmn:MessageEventDefinition"));
// What an addition says something to; of the others, all that is drawn (the judge's table: `engine/pathway/additions.py`).
const PLACES = {
  "masar:Tache": (object) => isAny(object, ["bpmn:UserTask", "bpmn:ManualTask"]),
  "masar:Operation": (object) => is(object, "bpmn:ServiceTask"),
  "masar:Decision": (object) => is(object, "bpmn:BusinessRuleTask"),
  "masar:Entree": (object) => is(object, "bpmn:CallActivity"),
  "masar:Sortie": (object) => is(object, "bpmn:CallActivity"),
  "masar:Message": isOfMessage,
  "masar:Imprevu": (object) => is(object, "bpmn:StartEvent") && isOfMessage(object),
};

/** An element of another kind loses, in the same act, what was said of the former kind only: nothing else could take it away. */
export function dropMisplaced(modeler, writer) {
  modeler.get("eventBus").on("commandStack.shape.replace.postExecuted", ({ context: { newShape } }) => {
    const object = newShape.businessObject;
    const isInPlace = (one) => PLACES[one.$type]?.(object) ?? true;
    if ((object.get("extensionElements")?.get("values") ?? []).some((one) => !isInPlace(one))) writer.extensions(newShape, object, (values) => values.filter(isInPlace));
  });
}
