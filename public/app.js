// Starts the app: puts the session, the pages, the frame and the keys together.

import * as api from "./api.js";
import { t, watchLanguage } from "./i18n.js";
import { startKeys } from "./keys.js";
import { listPage, forgetList } from "./pages/list.js";
import { signPage } from "./pages/sign.js";
import { statsPage } from "./pages/stats.js";
import { todoPage } from "./pages/todo.js";
import { unknownPage } from "./pages/unknown.js";
import { openSignIn } from "./parts/sign-in-dialog.js";
import { announce, endMessages, tellFailure } from "./parts/toasts.js";
import { navigate, reopen, startRouter } from "./router.js";
import { isProven, renewSessionBy, signedOut, watchMe } from "./session.js";
import { buildShell } from "./shell.js";
import { finishLeaving, removeOnLeaving } from "./todos.js";

const ROUTES = [
  { path: /^\/$/, page: listPage },
  { path: /^\/todos\/(?<id>[^/]+)$/, page: todoPage },
  { path: /^\/stats$/, page: statsPage },
  { path: /^\/signin$/, page: signPage("signin") },
  { path: /^\/signup$/, page: signPage("signup") },
  { path: /(?:)/, page: unknownPage },
];

let shell = buildShell({ signOut, addNew });

async function signOut() {
  endMessages();
  try {
    await api.logout();
  } catch (error) {
    tellFailure("", error, signOut);
    return;
  }
  forgetList();
  signedOut();
  navigate("/signin");
  announce(t("signedout"));
}

function addNew() {
  if (location.pathname !== "/") navigate("/");
  document.dispatchEvent(new CustomEvent("add-todo"));
}

async function askToSignIn(person) {
  if (isProven()) return openSignIn(person);
  // Nothing has been shown yet: a page of its own is calmer than a dialog over nothing.
  const next = location.pathname + location.search;
  if (!/^\/sign(in|up)$/.test(location.pathname)) {
    navigate(next === "/" ? "/signin" : `/signin?${new URLSearchParams({ next })}`, { replace: true });
  }
  return null;
}

function opened({ url, first }) {
  shell.redraw(url.pathname);
  const heading = shell.main.querySelector("h1");
  document.title = `${heading?.dataset.title ?? heading?.textContent ?? ""} · ${t("app")}`;
  if (first || shell.main.contains(document.activeElement)) return;
  // Who came back is where they had scrolled to.
  heading?.focus({ preventScroll: true });
}

renewSessionBy(askToSignIn);
watchMe(() => shell.redraw(location.pathname));
watchLanguage(() => {
  reopen(() => (shell = buildShell({ signOut, addNew })).main);
});
addEventListener("pagehide", removeOnLeaving);
// A page that the browser kept whole may show what has changed since.
addEventListener("pageshow", (event) => event.persisted && reopen(() => shell.main));
startKeys();
await finishLeaving();
startRouter(shell.main, ROUTES, { opened });
