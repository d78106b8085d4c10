// Which todos are to be seen: status, search and order. The address holds them.

import { debounce, fill, h, icon, iconButton } from "../dom.js";
import { number, t } from "../i18n.js";
import { LIMITS } from "../limits.js";

const DEFAULTS = { status: "all", q: "", sort: "newest", page: "1" };
const STATUSES = ["all", "open", "paused", "done", "closed"];
const SORTS = ["newest", "oldest", "due", "title"];

/** What an address asks for; what it says wrongly is as if not said. */
export function wantedOf(url) {
  const wanted = { ...DEFAULTS, ...Object.fromEntries(url.searchParams) };
  return {
    status: STATUSES.includes(wanted.status) ? wanted.status : "all",
    q: [...wanted.q].slice(0, LIMITS.search).join(""),
    sort: SORTS.includes(wanted.sort) ? wanted.sort : "newest",
    page: /^[1-9]\d{0,4}$/.test(wanted.page) ? wanted.page : "1",
  };
}

/** The address of what is wanted, without what goes without saying. */
export function pathOf(wanted) {
  const said = Object.entries(wanted).filter(([key, value]) => value !== DEFAULTS[key]);
  return said.length > 0 ? `/?${new URLSearchParams(said)}` : "/";
}

/** The statuses with their counts; counts may be null when they are missing. */
export function statusNav() {
  const element = h("nav", { class: "statuses", "aria-label": t("status"), "data-testid": "statuses" });
  // On a phone the line scrolls sideways; the page itself must not jump.
  const bringIntoSight = (link) => {
    if (element.scrollWidth > element.clientWidth) element.scrollLeft = link.offsetLeft - 60;
  };
  // Browsers leave what is half in sight where it is. Under a finger or a mouse it stays.
  element.addEventListener("focusin", ({ target }) => target.matches(":focus-visible") && bringIntoSight(target));
  // Made once: a link that is replaced between the press and the release of a button is not followed.
  const links = STATUSES.map((status) => {
    const count = h("span", { class: "count" });
    const link = h(
      "a",
      { class: ["status-link", `dot-${status}`], "data-status": status },
      h("span", { class: "dot", "aria-hidden": "true" }),
      h("span", {}, t(`status.${status}`)),
      count,
    );
    return { status, link, count };
  });
  fill(element, links.map(({ link }) => link));
  function show(wanted, counts) {
    const total = counts && Object.values(counts).reduce((sum, n) => sum + n, 0);
    for (const { status, link, count } of links) {
      const n = counts && (status === "all" ? total : counts[status]);
      link.href = pathOf({ ...wanted, status, page: "1" });
      if (wanted.status === status) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
      count.textContent = typeof n === "number" ? number(n) : "–";
    }
    bringIntoSight(element.querySelector("[aria-current]"));
  }
  return { element, show };
}

/** The search and the order; `change(part)` asks for something else. */
export function toolbar({ change, toggleSelect, signal }) {
  const search = h("input", {
    class: "input search-input",
    type: "search",
    maxlength: LIMITS.search,
    placeholder: t("search.hint"),
    "aria-label": t("search"),
    enterkeyhint: "search",
  });
  const clear = iconButton("close", t("search.clear"), { class: "search-clear", hidden: true });
  const order = h(
    "select",
    { class: "input select", "aria-label": t("sort") },
    SORTS.map((sort) => h("option", { value: sort }, t(`sort.${sort}`))),
  );
  const select = h(
    "button",
    { type: "button", class: "button", "aria-label": t("select"), "aria-pressed": "false", onclick: toggleSelect, "data-testid": "select-mode" },
    icon("select"),
    h("span", {}, t("select")),
  );
  const ask = () => {
    later.cancel();
    change({ q: search.value.trim() });
  };
  const later = debounce(ask, 300);
  signal.addEventListener("abort", () => later.cancel());
  search.addEventListener("input", () => {
    clear.hidden = !search.value;
    later();
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") ask();
    if (event.key !== "Escape") return;
    if (search.value) search.value = "";
    else search.blur();
    clear.hidden = true;
    ask();
  });
  clear.addEventListener("click", () => {
    search.value = "";
    clear.hidden = true;
    search.focus();
    ask();
  });
  order.addEventListener("change", () => change({ sort: order.value }));
  const element = h(
    "div",
    { class: "toolbar", role: "search", "aria-label": t("search") },
    h("div", { class: "search" }, icon("search"), search, clear),
    order,
    select,
  );
  return {
    element,
    focus: () => search.select(),
    focusSelect: () => select.focus({ preventScroll: true }),
    show(wanted, isSelecting) {
      // Not while it is being typed in: the address lags behind the keys.
      if (document.activeElement !== search) search.value = wanted.q;
      clear.hidden = !search.value;
      order.value = wanted.sort;
      select.setAttribute("aria-pressed", String(isSelecting));
    },
  };
}
