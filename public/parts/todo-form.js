// The fields of a todo, for adding and for editing; what is typed is kept as a draft.

import { draft, dropDraft, keepDraft } from "../drafts.js";
import { fill, h } from "../dom.js";
import { dayText, t } from "../i18n.js";
import { LIMITS } from "../limits.js";
import { beginAnew, submit as sendOnce } from "../submissions.js";
import { field, isValid, problemLine, showProblem, whileBusy } from "./form.js";
import { peoplePicker } from "./people-picker.js";

const EMPTY = { title: "", note: "", due: "", helper: null };

/** `save(values, key)` sends them, what is sent again with the key it had, and may throw a Problem, which is shown; `submit` is the button's text. */
export function todoForm({ draftKey, initial = EMPTY, submit, save, cancel, class: more, testid }) {
  const title = h("input", {
    class: "input",
    type: "text",
    required: true,
    maxlength: LIMITS.title,
    autocomplete: "off",
    placeholder: t("title.hint"),
    enterkeyhint: "done",
  });
  const note = h("textarea", { class: "input", rows: "3", maxlength: LIMITS.note, placeholder: t("note.hint") });
  const due = h("input", { class: "input", type: "date", min: LIMITS.due.first, max: LIMITS.due.last });
  const picker = peoplePicker();
  const fields = {
    title: field({ name: "title", label: t("title"), control: title, class: "title-field" }),
    note: field({ name: "note", label: t("note"), control: note, class: "wide" }),
    due: field({ name: "due", label: t("due"), control: h("div", { class: "due" }, due, quickDays(due)), input: due }),
    helper: field({ name: "helper", label: t("helper"), control: picker.element, input: picker.input }),
  };
  const all = Object.values(fields);
  const line = problemLine();
  const restored = h("p", { class: "restored", hidden: true, "data-testid": "restored" });
  const button = h("button", { type: "submit", class: "button primary" }, submit);
  const actions = h(
    "div",
    { class: "form-actions wide" },
    cancel && h("button", { type: "button", class: "button", onclick: giveUp }, t("cancel")),
    button,
  );
  const moreFields = h("div", { class: "more-fields" }, fields.note.element, fields.due.element, fields.helper.element);
  const form = h(
    "form",
    { class: ["todo-form", more], novalidate: true, "data-testid": testid, autocomplete: "off" },
    restored,
    fields.title.element,
    moreFields,
    line.element,
    actions,
  );

  const values = () => ({ title: title.value, note: note.value, due: due.value, helper: picker.value });
  const put = (found) => {
    title.value = found.title ?? "";
    note.value = found.note ?? "";
    due.value = found.due ?? "";
    picker.set(found.helper ?? null);
  };

  function clear() {
    dropDraft(draftKey);
    beginAnew(draftKey);
    put(initial);
    line.clear();
    for (const one of all) one.show("");
    restored.hidden = true;
  }

  /** Cancel throws away what was typed; who leaves by Escape, or loses the page, finds it again. */
  function giveUp() {
    clear();
    cancel();
  }

  const written = () => JSON.stringify(values());
  let untouched = "";

  function restore() {
    put(initial);
    untouched = written();
    const kept = draft(draftKey);
    if (!kept) return;
    put(kept);
    restored.hidden = false;
    const discard = () => {
      clear();
      title.focus();
    };
    fill(restored, t("draft.restored"), " ", h("button", { type: "button", class: "link", onclick: discard }, t("draft.discard")));
  }

  async function send() {
    title.value = title.value.trim();
    if (!isValid(all)) return;
    line.clear();
    try {
      await sendOnce(draftKey, values(), (key) => save(values(), key));
      clear();
    } catch (error) {
      showProblem(error, all, line);
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(button, send);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  restore();
  keepDraft(form, draftKey, values, () => written() !== untouched);
  const isEmpty = () => !Object.values(values()).some(Boolean);
  return { element: form, title, isEmpty, clear, details: [moreFields, actions] };
}

function quickDays(due) {
  const pick = (days) => () => {
    const date = new Date();
    date.setDate(date.getDate() + days);
    due.value = dayText(date);
    due.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const chip = (label, days) => h("button", { type: "button", class: "chip", onclick: pick(days) }, label);
  return h(
    "div",
    { class: "quick", role: "group", "aria-label": t("due.quick") },
    chip(t("today"), 0),
    chip(t("tomorrow"), 1),
    chip(t("next-week"), 7),
  );
}

/** What the API wants for these values. */
export function asFields({ title, note, due, helper }) {
  return { title, note, due: due || null, helper: helper?.id ?? null };
}
