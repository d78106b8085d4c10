// The list of todos: what is asked for stands in the address, so that reload, back and a shared link work.

import { addTodo, home } from "./api.js";
import { missingText, problemText, STATUSES } from "./words.js";

const PER_PAGE = 20;
const DEFAULTS = { status: "all", q: "", sort: "newest", page: "1" };
const byId = (id) => document.getElementById(id);
const prefersChinese = navigator.language.toLowerCase().startsWith("zh");

let wanted = readAddress();
let running = null;

function readAddress() {
  const given = new URLSearchParams(location.search);
  return Object.fromEntries(Object.entries(DEFAULTS).map(([name, value]) => [name, given.get(name) ?? value]));
}

function want(changes, { replace = false } = {}) {
  wanted = { ...wanted, page: "1", ...changes };
  const kept = Object.entries(wanted).filter(([name, value]) => value !== DEFAULTS[name]);
  const address = kept.length ? `?${new URLSearchParams(kept)}` : location.pathname;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  return load();
}

async function load() {
  running?.abort();
  const mine = (running = new AbortController());
  byId("todos").setAttribute("aria-busy", "true");
  try {
    const page = await home({ ...wanted, per_page: PER_PAGE }, mine.signal);
    if (mine.signal.aborted) return;
    byId("problem").hidden = true;
    show(page);
  } catch (problem) {
    if (mine.signal.aborted) return;
    byId("problem").querySelector("p").textContent = problemText(problem);
    byId("problem").hidden = false;
  }
  byId("todos").setAttribute("aria-busy", "false");
}

function show(page) {
  const missing = new Set(page.errors.map((error) => error.step));
  showControls(page.counts);
  showNotice(page.notice, missing.has("notice"));
  byId("todos").replaceChildren(...page.todos.map(todoItem));
  byId("missing").hidden = !missing.has("people");
  byId("missing").textContent = missingText("people");
  byId("empty").hidden = page.todos.length > 0;
  byId("empty").textContent = emptyText(page);
  byId("pager").hidden = page.pages <= 1;
  byId("pager").querySelector("span").textContent = `Page ${page.page} of ${page.pages}`;
  byId("pager").querySelector("[data-turn='-1']").disabled = page.page <= 1;
  byId("pager").querySelector("[data-turn='1']").disabled = page.page >= page.pages;
  byId("summary").textContent = `${page.counts.open} open · ${page.counts.done} done`;
  byId("said").textContent = `${page.total} todos found`;
}

function emptyText(page) {
  if (page.total > 0) return "There is nothing on this page.";
  return wanted.q || wanted.status !== "all" ? "No todo fits." : "Nothing to do. Add the first todo above.";
}

function showControls(counts) {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const buttons = Object.entries(STATUSES).map(([status, word]) => {
    const button = element("button", "", `${word} `);
    button.type = "button";
    button.dataset.status = status;
    button.append(element("span", "count", String(counts[status] ?? total)));
    if (status === wanted.status) button.setAttribute("aria-current", "true");
    return button;
  });
  const focused = document.activeElement?.dataset?.status;
  byId("statuses").replaceChildren(...buttons);
  if (focused) buttons.find((button) => button.dataset.status === focused)?.focus();
  if (document.activeElement !== byId("q")) byId("q").value = wanted.q;
  byId("sort").value = wanted.sort;
}

function showNotice(notice, missing) {
  const box = byId("notice");
  box.hidden = !notice && !missing;
  box.classList.toggle("missing", missing);
  if (missing) {
    const again = element("button", "link", "Try again");
    again.type = "button";
    again.addEventListener("click", load);
    box.replaceChildren(`${missingText("notice")} `, again);
  } else if (notice) {
    const text = element("span", "", prefersChinese ? notice.zh : notice.en);
    text.lang = prefersChinese ? "zh" : "en";
    box.replaceChildren(text);
  }
}

function todoItem(todo) {
  const item = byId("todo").content.firstElementChild.cloneNode(true);
  item.dataset.status = todo.status;
  item.querySelector(".badge").textContent = STATUSES[todo.status] ?? todo.status;
  item.querySelector("h2").textContent = todo.title;
  item.querySelector(".note").textContent = todo.note;
  item.querySelector(".note").hidden = !todo.note;
  item.querySelector(".facts").replaceChildren(...facts(todo));
  return item;
}

function facts(todo) {
  const parts = [];
  if (todo.due) {
    const late = todo.status === "open" && todo.due < today();
    parts.push(element("span", late ? "late" : "", `${late ? "Was due" : "Due"} ${day(todo.due)}`));
  }
  if (todo.finished) parts.push(element("span", "", `Finished ${day(todo.finished.slice(0, 10))}`));
  if (todo.owner) parts.push(element("span", "", todo.owner.name));
  if (todo.helper) parts.push(element("span", "", `with ${todo.helper.name}`));
  return parts;
}

function today() {
  const now = new Date();
  return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

function day(date) {
  const options = { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" };
  return new Date(`${date}T00:00:00Z`).toLocaleDateString(undefined, options);
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

async function add(event) {
  event.preventDefault();
  const form = event.target;
  const button = form.querySelector("button");
  const { title, note, due } = Object.fromEntries(new FormData(form));
  button.disabled = true;
  byId("add-problem").hidden = true;
  try {
    const added = await addTodo({ title, note, due: due || null });
    form.reset();
    await want({ ...DEFAULTS });
    byId("said").textContent = `Added: ${added.title}`;
  } catch (problem) {
    // The form is left as it is: nothing that was typed is lost.
    byId("add-problem").textContent = problemText(problem);
    byId("add-problem").hidden = false;
  } finally {
    button.disabled = false;
    byId("add-title").focus();
  }
}

let typing;
byId("add").addEventListener("submit", add);
byId("statuses").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) want({ status: button.dataset.status });
});
byId("q").addEventListener("input", (event) => {
  clearTimeout(typing);
  typing = setTimeout(() => want({ q: event.target.value }, { replace: true }), 250);
});
byId("sort").addEventListener("change", (event) => want({ sort: event.target.value }));
byId("pager").addEventListener("click", (event) => {
  const turn = Number(event.target.dataset.turn);
  if (turn) want({ page: String(Number(wanted.page) + turn) }).then(() => byId("todos").scrollIntoView());
});
byId("problem").querySelector("button").addEventListener("click", load);
addEventListener("popstate", () => {
  wanted = readAddress();
  load();
});
load();
