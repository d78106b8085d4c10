// Adding a todo: one line that grows when it is used.

import { h } from "../dom.js";
import { short, t } from "../i18n.js";
import { navigate } from "../router.js";
import { add } from "../todos.js";
import { todoForm } from "./todo-form.js";
import { toast } from "./toasts.js";

/** `added(todo)` runs after one was added. */
export function composer({ signal, added }) {
  const form = todoForm({
    draftKey: "new",
    submit: t("add"),
    class: "composer",
    testid: "composer",
    save: async (values, key) => {
      const todo = await add(values, key);
      const show = { label: t("show"), run: () => navigate(`/todos/${todo.id}`) };
      toast(t("added", { title: short(todo.title) }), { tone: "good", action: show, lasts: 4000 });
      form.title.focus();
      added(todo);
    },
  });
  const grow = (isOpen) => {
    form.element.classList.toggle("is-open", isOpen);
    for (const part of form.details) part.hidden = !isOpen;
  };
  // Not on focus: nothing may move under somebody who only passes with the Tab key.
  form.element.addEventListener("click", () => grow(true));
  form.element.addEventListener("input", () => grow(true));
  form.element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !form.isEmpty()) return;
    form.title.blur();
    grow(false);
  });
  // On click, not on blur: what shrinks on blur moves away from under the pointer.
  const shrink = (event) => {
    if (!form.element.contains(event.target) && form.isEmpty()) grow(false);
  };
  document.addEventListener("click", shrink, { signal });
  const begin = () => {
    grow(true);
    form.title.focus();
  };
  document.addEventListener("add-todo", begin, { signal });
  grow(!form.isEmpty());
  return {
    element: h("section", { class: "card composer-card", "aria-label": t("add.long") }, form.element),
    focus: begin,
  };
}
