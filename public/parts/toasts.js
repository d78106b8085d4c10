// Messages that stay for a moment, and words for screen readers alone.

import { fill, h, iconButton } from "../dom.js";
import { t } from "../i18n.js";
import { detailOf, wordsOf } from "../problems.js";

const region = h("div", { class: "toasts", role: "region", tabindex: "-1", "data-testid": "toasts" });
const polite = h("p", { class: "unseen", role: "status", "data-testid": "said" });
const open = [];

/** The two elements that must stay in the document; `region` is named in the current language. */
export function toastElements() {
  region.setAttribute("aria-label", t("messages"));
  return [region, polite];
}

/** Says a text to screen readers. */
export function announce(text) {
  // The same words twice would not be read twice without the empty moment between.
  fill(polite);
  setTimeout(() => fill(polite, text), 50);
}

/**
 * Shows a message. It ends after `lasts` milliseconds (never, when null), but not while the pointer or the focus
 * is on it; `ended` runs once when it ends without its action.
 */
export function toast(text, { tone = "plain", action = null, lasts = 6000, detail = null, ended = () => {} } = {}) {
  let left = lasts;
  let since = 0;
  let timer = null;
  let isPointedAt = false;
  const message = { act: action && (() => settle(action.run)), end: () => settle(ended) };
  const element = h(
    "div",
    { class: ["toast", tone], role: tone === "bad" ? "alert" : null, "data-testid": "toast" },
    h("p", { class: "toast-text" }, text),
    action && h("button", { type: "button", class: "toast-action", onclick: message.act }, action.label),
    iconButton("close", t("dismiss"), { onclick: message.end }),
    detail,
  );

  function settle(then) {
    const at = open.indexOf(message);
    if (at < 0) return;
    open.splice(at, 1);
    clearTimeout(timer);
    element.remove();
    then();
  }
  function hold() {
    if (!since) return;
    clearTimeout(timer);
    if (left !== null) left = Math.max(1500, left - (Date.now() - since));
    since = 0;
  }
  function run() {
    clearTimeout(timer);
    if (left === null || isPointedAt || element.matches(":focus-within")) return;
    since = Date.now();
    timer = setTimeout(message.end, left);
  }

  // A move, not :hover: a message that appears under a resting pointer, or a finger gone by, must still end.
  element.addEventListener("pointermove", (event) => {
    isPointedAt = event.pointerType === "mouse";
    if (isPointedAt) hold();
  });
  element.addEventListener("pointerleave", () => {
    isPointedAt = false;
    run();
  });
  element.addEventListener("focusin", hold);
  element.addEventListener("focusout", () => setTimeout(run));
  open.push(message);
  region.append(element);
  if (tone !== "bad") announce(action ? `${text} ${action.label}: U` : text);
  run();
  return message;
}

/** Says what did not work and why, until it is dismissed; `retry` does it again. */
export function tellFailure(text, error, retry = null) {
  const action = retry && { label: t("retry"), run: retry };
  toast(`${text} ${wordsOf(error)}`.trim(), { tone: "bad", lasts: null, action, detail: detailOf(error) });
}

/** Ends all messages now, as if their time had passed. */
export function endMessages() {
  for (const message of [...open]) message.end();
}

/** Does what the newest message offers; says whether there was one. */
export function actOnNewest() {
  const message = open.findLast((candidate) => candidate.act);
  message?.act();
  return Boolean(message);
}
