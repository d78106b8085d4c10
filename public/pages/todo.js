// One todo with its facts and comments.

import * as api from "../api.js";
import { fill, h, icon, iconButton, whenReleased } from "../dom.js";
import { dayOf, formatAgo, formatDay, formatMoment, momentOf, t } from "../i18n.js";
import { commentsOf } from "../parts/comments.js";
import { openMenu } from "../parts/menu.js";
import { personChip } from "../parts/person.js";
import { dueBadge, statusBadge, tick } from "../parts/row.js";
import { failedBox, missingBox, missingParts, oldNote } from "../problems.js";
import { navigate, restoreScroll } from "../router.js";
import { learnMe } from "../session.js";
import { edit, isLeaving, mayRemove, remove, statusItems, todoEvents } from "../todos.js";
import { listPath } from "./list.js";

export const todoPage = {
  open(root, { params, signal }) {
    const id = decodeURIComponent(params.id);
    const heading = h("h1", { tabindex: "-1", "data-title": t("todo") });
    const head = h("div", { class: "detail-head" });
    const note = h("div", { class: "detail-note" });
    const side = h("aside", { class: "card detail-facts", "aria-label": t("facts") });
    const comments = commentsOf(id, { retry: load });
    const article = h("article", { class: "card detail-main" }, head, note);
    const body = h("div", { class: "detail", "aria-busy": "true" }, h("div", { class: "column" }, article, comments.element), side);
    const problem = h("div", {});
    const back = h("a", { class: "back", href: listPath() }, icon("back"), h("span", {}, t("todos")));
    fill(root, h("div", { class: "page" }, h("nav", { "aria-label": t("back") }, back), problem, body));
    fill(head, h("span", { class: "bone bone-title" }), heading);
    let todo = null;
    let asked = null;

    async function load() {
      // An answer from before a change would take it back.
      asked?.abort();
      asked = new AbortController();
      const request = AbortSignal.any([signal, asked.signal]);
      try {
        const [found] = await Promise.all([api.todo(id, request), learnMe(signal).catch(() => {})]);
        whenReleased(() => request.aborted || show(found));
      } catch (error) {
        whenReleased(() => request.aborted || fail(error));
      }
    }

    function show(found) {
      todo = found;
      fill(problem);
      body.hidden = false;
      draw();
      restoreScroll();
      body.removeAttribute("aria-busy");
    }

    function fail(error) {
      body.hidden = true;
      const isGone = error.status === 404;
      fill(problem, isGone ? goneBox(error) : failedBox(error, load));
      if (isGone) document.title = `${t("todo.gone")} · ${t("app")}`;
      body.removeAttribute("aria-busy");
    }

    function draw() {
      const missing = missingParts(todo);
      const focused = head.contains(document.activeElement) && document.activeElement.dataset.focus;
      document.title = `${todo.title} · ${t("app")}`;
      fill(heading, todo.title);
      heading.dataset.title = todo.title;
      const more = iconButton("more", t("more.named", { title: todo.title }), { "aria-haspopup": "menu", "aria-expanded": "false" });
      // Editing and removing have buttons of their own here.
      more.addEventListener("click", () => openMenu(more, t("more"), statusItems(todo)));
      fill(
        head,
        tick(todo, "tick-large"),
        h("div", { class: "detail-title" }, heading, h("div", { class: "facts" }, statusBadge(todo.status), todo.due && dueBadge(todo))),
        h(
          "div",
          { class: "detail-actions" },
          h("button", { type: "button", class: "button", onclick: () => edit(todo), "data-focus": "edit" }, icon("edit"), h("span", {}, t("edit"))),
          mayRemove(todo) && h("button", { type: "button", class: "button bad", onclick: removeIt, "data-focus": "trash" }, icon("trash"), h("span", {}, t("remove"))),
          more,
        ),
      );
      article.classList.toggle("is-done", todo.status === "done");
      fill(note, todo.note ? h("p", { class: "prose" }, todo.note) : h("p", { class: "muted" }, t("note.none")));
      fill(side, factList(todo, missing, load), oldNote(todo));
      comments.show(todo.comments, missing.whole("comments") || !todo.comments, missing.some("comments"));
      if (focused) head.querySelector(`[data-focus=${focused}]`)?.focus({ preventScroll: true });
    }

    function removeIt() {
      remove([todo]);
      navigate(listPath());
    }

    todoEvents.addEventListener(
      "changed",
      ({ detail }) => {
        if (detail.todo.id !== id || !todo) return;
        // An edit answers without comments and what was missing.
        todo = { ...todo, ...detail.todo, comments: todo.comments, errors: todo.errors };
        whenReleased(draw);
      },
      { signal },
    );
    // The answer to an edit may know less than the page does.
    todoEvents.addEventListener("shown", () => todo && load(), { signal });
    // Undone from here after the removal: the list is shown already.
    if (isLeaving(id)) queueMicrotask(() => navigate(listPath(), { replace: true }));
    load();
    return {
      keys: () => [
        { key: "e", label: "key.edit", run: () => todo && edit(todo) },
        { key: "d", label: "key.done", run: () => head.querySelector(".tick")?.click() },
        { key: "c", label: "key.comment", run: comments.focus },
        { key: "#", also: "Delete", label: "key.remove", run: () => todo && mayRemove(todo) && removeIt() },
      ],
    };
  },
};

/** In the place of a todo that does not exist, or is not for this visitor. */
function goneBox(error) {
  return h(
    "div",
    { class: "gone", "data-testid": "gone" },
    h("h1", { tabindex: "-1" }, t("todo.gone")),
    failedBox(error),
    h("a", { class: "button primary", href: listPath() }, t("to-list")),
  );
}

function factList(todo, missing, retry) {
  const fact = (label, ...value) => h("div", { class: "fact-row" }, h("dt", {}, label), h("dd", {}, ...value));
  const moment = (text) => h("time", { datetime: text, title: formatMoment(momentOf(text)) }, formatAgo(momentOf(text)));
  const person = (part) => {
    if (todo[part]) return personChip(todo[part]);
    return missing.some(part) ? missingBox(t(part), retry) : h("span", { class: "muted" }, t("nobody"));
  };
  return h(
    "dl",
    {},
    fact(t("owner"), person("owner")),
    fact(t("helper"), person("helper")),
    fact(t("due"), todo.due ? h("time", { datetime: todo.due }, formatDay(dayOf(todo.due), { dateStyle: "long" })) : h("span", { class: "muted" }, t("due.none"))),
    todo.finished && fact(t("finished"), moment(todo.finished)),
    todo.created && fact(t("created"), moment(todo.created)),
    todo.updated && todo.updated !== todo.created && fact(t("updated"), moment(todo.updated)),
  );
}
