// The list of todos.

import * as api from "../api.js";
import { fill, h, whenReleased } from "../dom.js";
import { t } from "../i18n.js";
import { composer } from "../parts/composer.js";
import { pathOf, statusNav, toolbar, wantedOf } from "../parts/filters.js";
import { noticePlace } from "../parts/notices.js";
import { greeting, progress, today } from "../parts/overview.js";
import { pager } from "../parts/pager.js";
import { emptyList, listKeys, skeleton } from "../parts/list-extras.js";
import { drawFacts, todoRow } from "../parts/row.js";
import { makeSelection } from "../parts/selection.js";
import { announce } from "../parts/toasts.js";
import { failedBox, missingBox, missingParts, oldNote } from "../problems.js";
import { isBusyWithKeys } from "../keys.js";
import { navigate, restoreScroll } from "../router.js";
import { me, signedIn } from "../session.js";
import { countedWithoutGone, isLeaving, leavingTodos, todoEvents } from "../todos.js";

/** The last answer, shown at once when the visitor comes back to the same address. */
let kept = null;
let lastPath = "/";

/** Everybody seen on a todo, by id: a list that is read anew keeps their names while these are coming. */
const known = new Map();

export const forgetList = () => {
  kept = null;
  known.clear();
  lastPath = "/";
};
/** The address of the list as it was last seen. */
export const listPath = () => lastPath;

export const listPage = {
  open(root, { url, signal }) {
    let wanted = wantedOf(url);
    let page = null;
    /** The address that `page` answers. */
    let pageOf = "";
    /** The parts of the page that are still to come. */
    let pending = [];
    let asked = null;

    const heading = h("h1", { tabindex: "-1", "data-title": t("todos") }, greeting(me()));
    const notice = noticePlace();
    const statuses = statusNav();
    const ring = progress();
    const countsPlace = h("div", {});
    const selection = makeSelection({ changed: () => draw() });
    let isTurned = false;
    const tools = toolbar({
      signal,
      change: (part) => navigate(pathOf({ ...wanted, ...part, page: "1" }), { replace: "q" in part && wanted.q !== "" }),
      toggleSelect: () => selection.set(!selection.isOn),
    });
    const adding = composer({ signal, added: () => {} });
    const problemPlace = h("div", {});
    let problemShown = "";
    const list = h("ul", { class: "todos", "aria-label": t("todos"), "data-testid": "todos" });
    const turning = pager();
    const results = h("section", { class: "card results", "aria-label": t("results"), "aria-busy": "true" }, list);
    fill(
      root,
      h(
        "div",
        { class: "page list-page" },
        h("header", { class: "page-head" }, h("p", { class: "eyebrow" }, today()), heading),
        h("div", { class: "side" }, statuses.element, countsPlace, ring.element),
        h("div", { class: "column" }, notice.element, adding.element, tools.element, problemPlace, results, selection.element, turning.element),
      ),
    );

    async function load({ says = false } = {}) {
      asked?.abort();
      asked = new AbortController();
      const request = AbortSignal.any([signal, asked.signal]);
      results.setAttribute("aria-busy", "true");
      let begun = false;
      const arrived = (answer, coming) => whenReleased(() => show(answer, coming));
      const show = (answer, coming) => {
        if (request.aborted) return;
        pending = coming;
        if (begun && answer === page) drawParts();
        else if (answer) {
          begun = true;
          countedWithoutGone();
          take(answer, says);
        }
        if (pending.length === 0) kept = { path: pathOf(wanted), page };
      };
      try {
        arrived(await api.home(wanted, request, arrived), []);
      } catch (error) {
        whenReleased(() => fail(error));
      }
      function fail(error) {
        if (request.aborted) return;
        results.removeAttribute("aria-busy");
        pending = [];
        isTurned = false;
        if (page && pageOf !== pathOf(wanted)) {
          // What was asked for before is no answer to this.
          page = { ...page, todos: null, pages: 1 };
          draw();
        } else if (page) drawParts();
        problemShown = "whole";
        fill(problemPlace, failedBox(error, () => load({ says: true })));
        if (!page) results.hidden = true;
      }
    }

    function take(answer, says) {
      page = answer;
      pageOf = pathOf(wanted);
      results.removeAttribute("aria-busy");
      results.hidden = false;
      if (answer.me) signedIn(answer.me);
      const isBeyond = answer.todos?.length === 0 && answer.pages >= 1 && answer.page > answer.pages;
      if (isBeyond) return navigate(pathOf({ ...wanted, page: String(answer.pages) }), { replace: true });
      draw();
      // Who turned the page begins to read at its top.
      if (!restoreScroll() && isTurned) scrollTo(0, 0);
      isTurned = false;
      if (says) announce(t("found", { n: answer.total ?? 0 }));
    }

    /** Draws what is known, without what is being removed. */
    function draw() {
      tools.show(wanted, selection.isOn);
      if (!page) return;
      const missing = missingParts(page);
      const todos = seenTodos();
      const counts = missing.some("counts") || !page.counts ? null : withoutLeaving(page.counts);
      heading.textContent = greeting(page.me ?? me());
      statuses.show(wanted, counts);
      fill(countsPlace, !counts && missingBox(t("part.counts"), again));
      ring.show(counts);
      drawAround();
      drawRows(todos, missing.whole("todos") || !page.todos);
      selection.show(todos);
      turning.show(wanted, { page: page.page ?? 1, pages: page.pages ?? 1 });
    }

    /** Draws what may come after the rest: nothing that can have the focus, or be in somebody's hand, is made anew. */
    function drawParts() {
      drawAround();
      drawFacts(list, seenTodos(), page.me ?? me(), peopleOf);
    }

    /** What stands above the rows; and who is on them is remembered. */
    function drawAround() {
      const missing = missingParts(page);
      if (missing.some("notice")) notice.missing(missingBox(t("part.notice"), again));
      else if (pending.includes("shell.notice")) notice.coming();
      else notice.show(page.notice);
      const problem = missing.whole("todos") || !page.todos ? "todos" : missing.some("todos") ? "people" : "";
      const old = oldNote(page);
      const said = `${problem}${old ? " old" : ""}`;
      if (said !== problemShown) fill(problemPlace, problem && missingBox(t(`part.${problem}`), again), old);
      problemShown = said;
      for (const { owner, helper } of page.todos ?? []) for (const person of [owner, helper]) if (person) known.set(person.id, person);
    }

    const again = () => load({ says: true });
    const seenTodos = () => (page.todos ?? []).filter(({ id }) => !isLeaving(id));

    /** Who is on a todo; while the names are coming those that are known already, else "coming". */
    function peopleOf({ owner, owner_id, helper, helper_id }) {
      const find = (person, id) => person ?? (id && pending.includes("people") ? known.get(id) ?? "coming" : null);
      return { owner: find(owner, owner_id), helper: find(helper, helper_id) };
    }

    function drawRows(all, noTodos) {
      const todos = noTodos ? [] : all;
      const back = focusIn(list);
      const choosing = selection.isOn ? selection : null;
      const start = (todo) => {
        selection.set(true);
        selection.toggle(todo);
      };
      fill(list, todos.map((todo) => todoRow(todo, { me: page.me ?? me(), people: peopleOf, selection: choosing, startSelecting: start })));
      list.hidden = todos.length === 0;
      results.querySelector(".empty")?.remove();
      if (todos.length === 0 && !noTodos) results.append(emptyList(wanted, adding.focus));
      results.hidden = noTodos;
      back();
    }

    function update(url) {
      const before = wanted;
      wanted = wantedOf(url);
      isTurned = wanted.page !== before.page && pathOf({ ...wanted, page: before.page }) === pathOf(before);
      lastPath = pathOf(wanted);
      selection.set(false);
      statuses.show(wanted, page?.counts ?? null);
      load({ says: true });
      if (document.activeElement === document.body) heading.focus({ preventScroll: true });
    }

    todoEvents.addEventListener(
      "changed",
      ({ detail }) => {
        const at = page?.todos?.findIndex(({ id }) => id === detail.todo.id) ?? -1;
        if (at < 0) return;
        page.todos[at] = { ...page.todos[at], ...detail.todo };
        whenReleased(draw);
      },
      { signal },
    );
    const shown = () => {
      whenReleased(draw);
      load();
    };
    todoEvents.addEventListener("shown", shown, { signal });
    const leaveSelection = (event) => {
      if (event.key !== "Escape" || event.defaultPrevented || event.isComposing || !selection.isOn || isBusyWithKeys(event.target)) return;
      selection.set(false);
      tools.focusSelect();
    };
    document.addEventListener("keydown", leaveSelection, { signal });

    lastPath = pathOf(wanted);
    tools.show(wanted, false);
    statuses.show(wanted, null);
    if (kept?.path === lastPath) take(kept.page, false);
    else fill(list, skeleton());
    load();
    return { update, keys: () => listKeys({ list, tools, adding, selection, find: (id) => page?.todos?.find((todo) => todo.id === id) }) };
  },
};

function withoutLeaving(counts) {
  const left = { ...counts };
  for (const { status } of leavingTodos()) left[status] = Math.max(0, left[status] - 1);
  return left;
}

/** Remembers where in the list the focus is; the answer puts it back on what has taken that place. */
function focusIn(list) {
  const row = document.activeElement?.closest?.("[data-id]");
  if (!row || !list.contains(row)) return () => {};
  const { id } = row.dataset;
  const at = [...list.children].indexOf(row);
  const part = document.activeElement.dataset.focus ?? "title";
  return () => {
    const found = list.querySelector(`[data-id="${CSS.escape(id)}"]`) ?? list.children[Math.min(at, list.children.length - 1)];
    (found?.querySelector(`[data-focus=${part}]`) ?? found?.querySelector("a"))?.focus({ preventScroll: true });
  };
}
