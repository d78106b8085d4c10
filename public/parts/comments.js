// The comments of a todo and the form that adds one.

import * as api from "../api.js";
import { draft, dropDraft, keepDraft } from "../drafts.js";
import { fill, h } from "../dom.js";
import { formatAgo, formatMoment, momentOf, t } from "../i18n.js";
import { LIMITS } from "../limits.js";
import { missingBox } from "../problems.js";
import { me } from "../session.js";
import { submit } from "../submissions.js";
import { field, isValid, problemLine, showProblem, whileBusy } from "./form.js";
import { avatar } from "./person.js";
import { announce } from "./toasts.js";

export function commentsOf(id, { retry }) {
  const key = `comment:${id}`;
  const title = h("h2", {}, t("comments"));
  const list = h("ol", { class: "comments", "data-testid": "comments" });
  const missing = h("div", {});
  const text = h("textarea", { class: "input", rows: "2", maxlength: LIMITS.comment, required: true, placeholder: t("comment.hint") });
  const textField = field({ name: "text", label: t("comment.new"), control: text, labelClass: "unseen" });
  const line = problemLine();
  const button = h("button", { type: "submit", class: "button primary" }, t("comment.send"));
  const form = h("form", { class: "comment-form", novalidate: true }, textField.element, line.element, button);
  let found = [];

  async function send() {
    text.value = text.value.trim();
    if (!isValid([textField])) return;
    line.clear();
    try {
      const comment = await submit(key, text.value, (once) => api.addComment(id, text.value, once));
      text.value = "";
      dropDraft(key);
      found = [...found, { ...comment, author: comment.author ?? me() }];
      drawList();
      list.lastElementChild.scrollIntoView({ block: "nearest" });
      announce(t("comment.sent"));
    } catch (error) {
      showProblem(error, [textField], line);
    }
  }

  function drawList() {
    fill(title, t("comments"), found.length > 0 && h("span", { class: "count" }, String(found.length)));
    fill(list, found.map(oneComment));
    list.hidden = found.length === 0;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(button, send);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  let isRestored = false;
  function restore() {
    // Only now is it known whose draft it is.
    if (isRestored) return;
    isRestored = true;
    text.value ||= draft(key)?.text ?? "";
  }
  keepDraft(form, key, () => ({ text: text.value }), () => text.value !== "");

  return {
    element: h("section", { class: "card comments-card", "aria-label": t("comments") }, title, missing, list, form),
    focus: () => text.focus(),
    /** Shows comments; `isGone` when they are missing, `isPartial` when something of them is. */
    show(comments, isGone, isPartial) {
      found = comments ?? [];
      fill(missing, (isGone || isPartial) && missingBox(t(isGone ? "comments" : "part.people"), retry));
      drawList();
      restore();
    },
  };
}

function oneComment({ text, created, author }) {
  const name = author?.name ?? t("someone");
  return h(
    "li",
    { class: "comment" },
    author ? avatar(author) : h("span", { class: "avatar tint-none", "aria-hidden": "true" }, "?"),
    h(
      "div",
      { class: "comment-body" },
      h(
        "p",
        { class: "comment-head" },
        h("strong", {}, name),
        created && h("time", { datetime: created, title: formatMoment(momentOf(created)) }, formatAgo(momentOf(created))),
      ),
      h("p", { class: "prose" }, text),
    ),
  );
}
