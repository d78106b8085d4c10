// What the list shows when it has nothing to show, and its keys.

import { h, icon } from "../dom.js";
import { t } from "../i18n.js";
import { edit, mayRemove, remove, setStatus } from "../todos.js";

export function skeleton() {
  const line = (name) => h("span", { class: ["bone", name] });
  return Array.from({ length: 6 }, () =>
    h("li", { class: "todo is-bone", "aria-hidden": "true" }, line("bone-tick"), h("div", { class: "todo-body" }, line("bone-title"), line("bone-note"))),
  );
}

export function emptyList(wanted, addOne) {
  const kind = wanted.q ? "search" : wanted.status === "all" ? "all" : wanted.status;
  const canAdd = kind === "all" || kind === "open";
  return h(
    "div",
    { class: "empty", "data-testid": "empty" },
    h("span", { class: "empty-mark", "aria-hidden": "true" }, icon(kind === "search" ? "search" : "check")),
    h("p", { class: "empty-title" }, t(`empty.${kind}`, { q: wanted.q })),
    h("p", { class: "muted" }, t(`empty.${kind}.more`)),
    canAdd
      ? h("button", { type: "button", class: "button primary", onclick: addOne }, icon("plus"), h("span", {}, t("add.long")))
      : h("a", { class: "button", href: "/" }, t("show.all")),
  );
}

/** The keys of the list; those that act on a todo act on the one that has the focus. */
export function listKeys({ list, tools, adding, selection, find }) {
  const row = () => document.activeElement?.closest?.("[data-id]");
  const onTodo = (work) => () => {
    const todo = find(row()?.dataset.id);
    if (todo) work(todo);
  };
  const move = (step) => () => {
    const rows = [...list.querySelectorAll("[data-id]")];
    const at = rows.indexOf(row());
    const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + step, 0), rows.length - 1)];
    next?.querySelector("a").focus();
    next?.scrollIntoView({ block: "nearest" });
  };
  const choose = (todo) => {
    if (!selection.isOn) selection.set(true);
    selection.toggle(todo);
  };
  return [
    { key: "n", label: "key.new", run: adding.focus },
    { key: "/", label: "key.search", run: tools.focus },
    { key: "j", label: "key.down", run: move(1) },
    { key: "k", label: "key.up", run: move(-1) },
    { key: "d", label: "key.done", run: onTodo((todo) => setStatus(todo, todo.status === "done" ? "open" : "done")) },
    { key: "e", label: "key.edit", run: onTodo(edit) },
    { key: "x", label: "key.select", run: onTodo(choose) },
    { key: "#", also: "Delete", label: "key.remove", run: onTodo((todo) => mayRemove(todo) && remove([todo])) },
  ];
}
