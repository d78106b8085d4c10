// One todo in the list.

import { h, icon, iconButton } from "../dom.js";
import { dayOf, daysUntil, formatDay, formatDue, t } from "../i18n.js";
import { edit, mayRemove, menuItems, remove, setStatus } from "../todos.js";
import { openMenu } from "./menu.js";
import { avatar } from "./person.js";

const STATUS_ICONS = { open: "list", done: "check", paused: "pause", closed: "archive" };

/**
 * `selection` is null, or {has(id), toggle(todo)} while many are being chosen; `startSelecting(todo)` begins it.
 * `people` finds who is on the todo, as `facts` takes it.
 */
export function todoRow(todo, { me, people, selection, startSelecting }) {
  const isSelected = Boolean(selection?.has(todo.id));
  return h(
    "li",
    {
      class: ["todo", `is-${todo.status}`, isSelected && "is-selected"],
      "data-id": todo.id,
      "data-status": todo.status,
      "data-testid": "todo",
    },
    selection ? selectBox(todo, isSelected, selection) : tick(todo),
    h(
      "div",
      { class: "todo-body" },
      h("a", { class: "todo-title", href: `/todos/${encodeURIComponent(todo.id)}`, "data-focus": "title" }, todo.title),
      todo.note && h("p", { class: "todo-note" }, todo.note.split("\n")[0]),
      facts(todo, me, people),
    ),
    !selection && rowActions(todo, startSelecting),
  );
}

/** The round box that finishes with one click, and opens again with another. */
export function tick(todo, more) {
  const isDone = todo.status === "done";
  return h(
    "button",
    {
      type: "button",
      role: "checkbox",
      class: ["tick", isDone && "is-done", more],
      "aria-checked": String(isDone),
      "aria-label": t("finish", { title: todo.title }),
      title: t(isDone ? "become.open" : "become.done"),
      "data-focus": "tick",
      onclick: () => setStatus(todo, isDone ? "open" : "done"),
    },
    icon("check"),
  );
}

function selectBox(todo, isSelected, selection) {
  const box = h("input", { type: "checkbox", class: "check", checked: isSelected, "data-focus": "select" });
  box.setAttribute("aria-label", t("select.one", { title: todo.title }));
  box.addEventListener("change", () => selection.toggle(todo));
  return h("span", { class: "select-box" }, box);
}

/** Draws anew who is on the todos of a list, and touches nothing else of it. */
export function drawFacts(list, todos, me, people) {
  for (const todo of todos) {
    const body = list.querySelector(`[data-id="${CSS.escape(todo.id)}"] .todo-body`);
    const now = facts(todo, me, people);
    body?.querySelector(".facts")?.remove();
    if (body && now) body.append(now);
  }
}

/** Everything but the title, in one line that wraps; `people(todo)` gives {owner, helper}: a person, or "coming". */
function facts(todo, me, people) {
  const { owner, helper } = people(todo);
  const found = [
    (todo.status === "paused" || todo.status === "closed") && statusBadge(todo.status),
    todo.due && dueBadge(todo),
    helper && (helper === "coming" ? placeOfPerson() : personFact(t("helper.is", { name: helper.name }), avatar(helper))),
    owner && me && todo.owner_id !== me.id && (owner === "coming" ? placeOfPerson() : personFact(t("from", { name: owner.name }))),
  ].filter(Boolean);
  const isComing = helper === "coming" || owner === "coming";
  return found.length > 0 && h("div", { class: "facts", "aria-busy": isComing ? "true" : null }, found);
}

/** A name in the place that was kept for it: a long one is cut rather than wrapped, so that nothing below it moves. */
const personFact = (text, ...before) => h("span", { class: "fact fact-person", title: text }, before, h("span", { class: "fact-name" }, text));
const placeOfPerson = () => h("span", { class: "fact fact-person", "aria-hidden": "true" }, h("span", { class: "bone bone-person" }));

export function statusBadge(status) {
  return h("span", { class: ["badge", `badge-${status}`] }, icon(STATUS_ICONS[status]), t(`status.${status}`));
}

export function dueBadge(todo) {
  const date = dayOf(todo.due);
  const days = daysUntil(date);
  const waits = todo.status === "open" || todo.status === "paused";
  const tone = !waits ? null : days < 0 ? "is-late" : days === 0 ? "is-today" : days <= 2 ? "is-soon" : null;
  const full = formatDay(date, { dateStyle: "full" });
  return h(
    "span",
    { class: ["fact", "fact-due", tone], title: full },
    icon("calendar"),
    h("span", { class: "unseen" }, `${t(tone === "is-late" ? "late" : "due")}: `),
    h("time", { datetime: todo.due }, formatDue(date)),
  );
}

function rowActions(todo, startSelecting) {
  const named = (key) => t(`${key}.named`, { title: todo.title });
  const more = iconButton("more", named("more"), { "aria-haspopup": "menu", "aria-expanded": "false", "data-focus": "more" });
  const choose = startSelecting && { icon: "select", label: t("select"), run: () => startSelecting(todo) };
  more.addEventListener("click", () => openMenu(more, t("more"), menuItems(todo, [choose].filter(Boolean))));
  return h(
    "div",
    { class: "todo-actions" },
    iconButton("edit", named("edit"), { class: "on-hover", "data-focus": "edit", onclick: () => edit(todo) }),
    mayRemove(todo) && iconButton("trash", named("remove"), { class: "on-hover", "data-focus": "trash", onclick: () => remove([todo]) }),
    more,
  );
}
