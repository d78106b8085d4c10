// Keyboard shortcuts of one key, and the dialog that lists them.

import { h, uniqueId } from "./dom.js";
import { t } from "./i18n.js";
import { isDialogOpen, openDialog } from "./parts/dialog.js";
import { actOnNewest } from "./parts/toasts.js";
import { navigate, pageKeys } from "./router.js";
import { device } from "./storage.js";

// Who dictates, or brushes keys, must be able to switch them off (WCAG 2.1.4).
let areOn = device.get("keys") !== false;

const APP_KEYS = [
  { key: "h", label: "key.list", run: () => navigate("/") },
  { key: "s", label: "key.stats", run: () => navigate("/stats") },
  { key: "u", label: "key.undo", run: actOnNewest },
  { key: "?", label: "key.help", run: showKeys },
];

export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (isBusyWithKeys(event.target)) return;
    if (!areOn && event.key !== "?") return;
    const found = [...pageKeys(), ...APP_KEYS].find(({ key, also }) => key === event.key || also === event.key);
    if (!found) return;
    event.preventDefault();
    found.run();
  });
}

/** Whether a key is for something that is open, or for what is being typed. */
export function isBusyWithKeys(target) {
  return isDialogOpen() || document.querySelector(":popover-open") !== null || isTyping(target);
}

function isTyping(target) {
  return target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") !== null;
}

export function showKeys() {
  const id = uniqueId("keys");
  const onOff = h("input", { type: "checkbox", id, checked: areOn, class: "check" });
  onOff.addEventListener("change", () => {
    areOn = onOff.checked;
    device.set("keys", areOn);
  });
  const rows = [...pageKeys(), ...APP_KEYS].map(({ key, label }) =>
    h("div", { class: "key-row" }, h("dt", {}, h("kbd", {}, key)), h("dd", {}, t(label))),
  );
  const combined = [
    ["Ctrl + Enter", "key.send"],
    ["Esc", "key.escape"],
  ].map(([key, label]) => h("div", { class: "key-row" }, h("dt", {}, h("kbd", {}, key)), h("dd", {}, t(label))));
  openDialog({
    title: t("keys"),
    testid: "keys-dialog",
    build: () =>
      h(
        "div",
        {},
        h("dl", { class: "keys" }, rows, combined),
        h("div", { class: "check-line" }, onOff, h("label", { for: id }, t("keys.on"))),
      ),
  });
}
