// Labelled inputs with their errors beside them.

import { fill, h, icon, uniqueId } from "../dom.js";
import { detailOf, fieldErrors, ruleWords, wordsOf } from "../problems.js";

/** A label, a control, an optional hint, and a place for the control's error. */
export function field({ name, label, control, hint, class: more, labelClass, input = control }) {
  const id = input.id || (input.id = uniqueId(name));
  const error = h("p", { class: "field-error", id: `${id}-error`, hidden: true });
  const note = hint && h("p", { class: "hint", id: `${id}-hint` }, hint);
  input.name ||= name;
  if (note) input.setAttribute("aria-describedby", note.id);
  const show = (text) => {
    error.hidden = !text;
    fill(error, text && icon("alert"), text && h("span", {}, text));
    if (text) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    const described = [text && error.id, note && note.id].filter(Boolean).join(" ");
    if (described) input.setAttribute("aria-describedby", described);
    else input.removeAttribute("aria-describedby");
  };
  input.addEventListener("input", () => show(""));
  const element = h(
    "div",
    { class: ["field", more] },
    h("label", { for: id, class: labelClass }, label),
    control,
    note,
    error,
  );
  return { element, name, input, show };
}

/** What a whole form says when it fails. */
export function problemLine() {
  const element = h("div", { class: "form-problem", role: "alert", hidden: true, "data-testid": "problem" });
  const show = (text, detail = null) => {
    element.hidden = !text;
    fill(element, text && icon("alert"), text && h("div", {}, h("p", {}, text), detail));
  };
  return { element, show, showError: (error) => show(wordsOf(error), detailOf(error)), clear: () => show("") };
}

/** Shows a problem beside the inputs that its pointers name, or in the line. */
export function showProblem(error, fields, line) {
  const byName = fieldErrors(error, fields.map(({ name }) => name));
  for (const one of fields) if (byName.has(one.name)) one.show(byName.get(one.name));
  if (byName.size === 0) line.showError(error);
  else line.clear();
  fields.find(({ name }) => byName.has(name))?.input.focus();
}

/** The rule that an input's value does not keep, as the layer would name it. */
function brokenRule(input) {
  const { validity } = input;
  // No `maxlength`: a browser would cut what is pasted, and a password that was cut is another one.
  const most = Number(input.dataset.most ?? Infinity);
  if (validity.valueMissing) return { rule: "required" };
  if (validity.badInput || validity.typeMismatch) return { rule: "format", limit: input.type };
  if (validity.rangeUnderflow || validity.rangeOverflow) return { rule: "range" };
  if (validity.tooShort) return { rule: "minLength", limit: input.minLength };
  if ([...input.value].length > most) return { rule: "maxLength", limit: most };
  return null;
}

/** Checks what the browser can; shows the first error of each field in words, and says whether all is well. */
export function isValid(fields) {
  const wrong = fields.filter(({ input, show }) => {
    const broken = brokenRule(input);
    show(broken ? ruleWords(broken) : "");
    return broken !== null;
  });
  wrong[0]?.input.focus();
  return wrong.length === 0;
}

/** While `work` runs, the form can be read and not sent twice; what is typed stays whatever happens. */
export async function whileBusy(button, work) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  button.classList.add("busy");
  try {
    await work();
  } finally {
    button.removeAttribute("aria-disabled");
    button.classList.remove("busy");
  }
}
