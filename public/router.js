// Addresses and pages: the History API, without reloading.

let routes = [];
let mount = null;
let current = null;

/** `pages` are {path: RegExp, page: {open(root, {params, url, signal}) → {update?, keys?}}}; `root` holds the page. */
export function startRouter(root, pages, { opened }) {
  routes = pages;
  mount = { root, opened };
  history.scrollRestoration = "manual";
  addEventListener("popstate", () => go(new URL(location), { back: true }));
  document.addEventListener("click", followLink);
  go(new URL(location), { first: true });
}

/** Shows the present address anew, as after a change of language. */
export function reopen(root) {
  mount.root = root;
  close();
  go(new URL(location), { first: true });
}

export function navigate(path, { replace = false } = {}) {
  const url = new URL(path, location.origin);
  keepScroll();
  if (replace) history.replaceState({}, "", url);
  else if (url.href !== location.href) history.pushState({}, "", url);
  go(url, {});
}

/** The keys that the present page offers beside the app's own. */
export const pageKeys = () => current?.opened?.keys?.() ?? [];

/** Puts the scroll back after the page has its content, when the visitor came back to it. */
export function restoreScroll() {
  if (current?.scroll) scrollTo(0, current.scroll);
  if (current) current.scroll = 0;
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

function go(url, { first = false, back = false }) {
  const route = routes.find(({ path }) => path.test(url.pathname)) ?? routes.at(-1);
  const params = url.pathname.match(route.path)?.groups ?? {};
  const key = `${routes.indexOf(route)} ${url.pathname}`;
  if (current?.key === key && current.opened?.update) return current.opened.update(url);
  close();
  const leave = new AbortController();
  current = { key, leave, scroll: back ? (history.state?.scroll ?? 0) : 0 };
  scrollTo(0, 0);
  current.opened = route.page.open(mount.root, { params, url, signal: leave.signal });
  mount.opened({ url, first });
}

function close() {
  current?.leave.abort();
  current = null;
}

function keepScroll() {
  history.replaceState({ ...history.state, scroll: scrollY }, "");
}
