// Addresses and pages: the History API, without reloading.

import { tab } from "./storage.js";

const MOST_SPOTS = 50;

let routes = [];
let mount = null;
let current = null;
/** Where the visitor had scrolled to in each entry of the history: [entry, pixels], the newest last. */
const spots = new Map(tab.get("spots") ?? []);
let entry = null;

/** `pages` are {path: RegExp, page: {open(root, {params, url, signal}) → {update?, keys?}}}; `root` holds the page. */
export function startRouter(root, pages, { opened }) {
  routes = pages;
  mount = { root, opened };
  history.scrollRestoration = "manual";
  entry = history.state?.entry ?? newEntry();
  history.replaceState({ entry }, "");
  addEventListener("popstate", () => {
    keepSpot();
    entry = history.state?.entry ?? null;
    go(new URL(location), { scroll: spots.get(entry) });
  });
  addEventListener("pagehide", keepSpot);
  document.addEventListener("click", followLink);
  go(new URL(location), { first: true, scroll: spots.get(entry) });
}

/** Shows the present address anew, as after a change of language; the place in it stays. `build` gives the root. */
export function reopen(build) {
  const scroll = scrollY;
  close();
  mount.root = build();
  go(new URL(location), { first: true, scroll });
}

export function navigate(path, { replace = false } = {}) {
  const url = new URL(path, location.origin);
  keepSpot();
  if (!replace && url.href !== location.href) {
    entry = newEntry();
    history.pushState({ entry }, "", url);
  } else history.replaceState({ entry }, "", url);
  go(url, {});
}

/** The keys that the present page offers beside the app's own. */
export const pageKeys = () => current?.opened?.keys?.() ?? [];

/** Puts the scroll back after the page has its content, when the visitor came back to it; says whether it did. */
export function restoreScroll() {
  const spot = current?.scroll;
  if (!spot) return false;
  scrollTo(0, spot);
  current.scroll = 0;
  return true;
}

function followLink(event) {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button !== 0 || link.target || link.hasAttribute("download")) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || (url.hash && url.pathname === location.pathname)) return;
  event.preventDefault();
  navigate(url.href);
}

function go(url, { first = false, scroll = 0 }) {
  const route = routes.find(({ path }) => path.test(url.pathname)) ?? routes.at(-1);
  const params = url.pathname.match(route.path)?.groups ?? {};
  const key = `${routes.indexOf(route)} ${url.pathname}`;
  if (current?.key === key && current.opened?.update) {
    current.scroll = scroll;
    return current.opened.update(url);
  }
  close();
  const leave = new AbortController();
  current = { key, leave, scroll };
  scrollTo(0, 0);
  current.opened = route.page.open(mount.root, { params, url, signal: leave.signal });
  mount.opened({ url, first });
}

function close() {
  current?.leave.abort();
  current = null;
}

const newEntry = () => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;

function keepSpot() {
  spots.delete(entry);
  spots.set(entry, scrollY);
  if (spots.size > MOST_SPOTS) spots.delete(spots.keys().next().value);
  tab.set("spots", [...spots]);
}
