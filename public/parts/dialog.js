// The browser's own modal dialogs: they hold the focus, close on Escape and give the focus back.

import { h, iconButton, uniqueId } from "../dom.js";
import { t } from "../i18n.js";

/** Opens a dialog; `build(close)` makes its content; `closed` resolves to what `close` was given. */
export function openDialog({ title, build, class: more, testid }) {
  const id = uniqueId("dialog-title");
  const before = document.activeElement;
  let answer;
  let dialog;
  const close = (value) => {
    answer = value;
    dialog.close();
  };
  dialog = h(
    "dialog",
    { class: ["dialog", more], "aria-labelledby": id, "data-testid": testid },
    h(
      "div",
      { class: "dialog-inside" },
      h(
        "header",
        { class: "dialog-head" },
        h("h2", { id }, title),
        iconButton("close", t("close"), { onclick: () => close() }),
      ),
      build(close),
    ),
  );
  // A press that began inside (selecting text) and ends outside must not close it.
  let pressed = null;
  dialog.addEventListener("pointerdown", (event) => (pressed = event.target));
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog && pressed === dialog) close();
  });
  document.body.append(dialog);
  dialog.showModal();
  (dialog.querySelector("[autofocus]") ?? dialog.querySelector("input, textarea"))?.focus();
  const closed = new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before?.isConnected) before.focus({ preventScroll: true });
      resolve(answer);
    });
  });
  return { element: dialog, close, closed };
}

export const isDialogOpen = () => document.querySelector("dialog[open]") !== null;
