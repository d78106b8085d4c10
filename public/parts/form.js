// Labelled inputs with their errors beside them.

import { fill, h, icon, uniqueId } from "../dom.js";
import { t } from "../i18n.js";
import { detailLanguage, fieldErrors, wordsOf } from "../problems.js";

/** A label, a control, an optional hint, and a place for the control's error. */
export function field({ name, label, control, hint, class: more, labelClass, input = control }) {
  const id = input.id || (input.id = uniqueId(name));
  const error = h("p", { class: "field-error", id: `${id}-error`, hidden: true });
  const note = hint && h("p", { class: "hint", id: `${id}-hint` }, hint);
  input.name ||= name;
  if (note) input.setAttribute("aria-describedby", note.id);
  const show = (text, lang = null) => {
    error.hidden = !text;
    fill(error, text && icon("alert"), text && h("span", { lang }, text));
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
  const show = (...content) => {
    element.hidden = content.length === 0;
    fill(element, content.length > 0 && icon("alert"), content.length > 0 && h("p", {}, ...content));
  };
  return { element, show, clear: () => show() };
}

/** Shows a problem: beside the inputs that its pointers name, the rest in the line. */
export function showProblem(error, fields, line, words = wordsOf(error)) {
  const { byName, others } = fieldErrors(error, fields.map(({ name }) => name));
  for (const one of fields) if (byName.has(one.name)) one.show(byName.get(one.name), detailLanguage());
  if (byName.size === 0 || others.length > 0) {
    line.show(words, ...others.map((text) => h("span", { lang: detailLanguage() }, ` ${text}`)));
  } else line.clear();
  fields.find(({ name }) => byName.has(name))?.input.focus();
}

/** Checks what the browser can; shows the first error of each field in words, and says whether all is well. */
export function isValid(fields, words = {}) {
  const wrong = fields.filter(({ name, input, show }) => {
    const { validity } = input;
    const found = ["valueMissing", "badInput", "typeMismatch", "tooShort", "tooLong"].find((kind) => validity[kind]);
    show(found ? (words[`${name}.${found}`] ?? t(`invalid.${found}`)) : "");
    return Boolean(found);
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
