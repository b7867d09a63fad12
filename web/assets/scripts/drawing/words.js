// The words of the editor in the reader's language, those of bpmn-js too; and times as she writes them.
let found = { language: "fr", words: {}, bpmn_js: {} };

export const useWords = (given) => (found = given);
export const language = () => found.language;

const fill = (sentence, details) => sentence.replace(/{(\w+)}/g, (whole, name) => (name in details ? String(details[name]) : whole));

export const t = (code, details = {}) => fill(found.words[code] ?? `[${code}]`, details);

export function n(code, number, details = {}) {
  const form = number === 0 && `${code}.zero` in found.words ? "zero" : new Intl.PluralRules(found.language).select(number);
  return t(`${code}.${form}` in found.words ? `${code}.${form}` : `${code}.other`, { number, ...details });
}

const hour = () => new Intl.DateTimeFormat(found.language === "en" ? "en-GB" : `${found.language}-TN`, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", numberingSystem: "latn", timeZone: "Africa/Tunis" });
export const time = (at) => hour().format(at);

/** bpmn-js's own sentences; what nobody translated stays in English. */
export const translation = { translate: ["value", (sentence, details) => fill(found.bpmn_js[sentence] ?? sentence, details ?? {})] };
