// Notices: the newest above the list, all of them in a dialog.

import * as api from "../api.js";
import { fill, h, icon, iconButton } from "../dom.js";
import { currentLanguage, formatMoment, momentOf, t } from "../i18n.js";
import { failedBox } from "../problems.js";
import { device } from "../storage.js";
import { openDialog } from "./dialog.js";

/** The notice in the reader's language, or in the other when that is all there is. */
function textOf(notice) {
  const language = currentLanguage();
  const other = language === "en" ? "zh" : "en";
  const lang = notice[language] ? null : other === "zh" ? "zh-CN" : "en";
  return h("p", { lang }, notice[language] || notice[other]);
}

/** The place above the list. While its notice is coming it is as high as it was last time, so that nothing jumps. */
export function noticePlace() {
  const element = h("div", {});
  let shown = null;
  function show(what, child) {
    if (what !== null && what === shown) return;
    shown = what;
    fill(element, child);
    device.set("notice.height", element.getBoundingClientRect().height);
  }
  function coming() {
    const height = device.get("notice.height") ?? 0;
    if (shown !== null || element.firstChild || height === 0) return;
    const bone = h("div", { class: "bone bone-notice", "aria-hidden": "true" });
    bone.style.height = `${height}px`;
    fill(element, bone);
  }
  return {
    element,
    coming,
    missing: (box) => show("missing", box),
    show: (notice) => show(notice && keyOf(notice), notice && noticeBanner(notice)),
  };
}

const keyOf = (notice) => `${notice.published} ${notice.en}`;

/** The newest notice, until it is put away on this device; null when it was. */
function noticeBanner(notice) {
  const key = keyOf(notice);
  if (device.get("notice") === key) return null;
  const banner = h("section", { class: "notice", "aria-label": t("notice"), "data-testid": "notice" });
  const dismiss = () => {
    device.set("notice", key);
    banner.remove();
    device.set("notice.height", 0);
  };
  return fill(
    banner,
    icon("bell"),
    h("div", { class: "notice-text" }, textOf(notice), h("button", { type: "button", class: "link", onclick: showNotices }, t("notices.all"))),
    iconButton("close", t("notice.dismiss"), { onclick: dismiss }),
  );
}

export function showNotices() {
  const box = h("div", { class: "notices", "aria-busy": "true" });
  async function load() {
    fill(box, h("p", { class: "muted" }, t("loading")));
    try {
      const { notices } = await api.notices();
      const items = notices.map((notice) =>
        h("li", {}, textOf(notice), notice.published && h("time", { datetime: notice.published }, formatMoment(momentOf(notice.published)))),
      );
      fill(box, items.length > 0 ? h("ul", {}, items) : h("p", { class: "muted" }, t("notices.none")));
    } catch (error) {
      fill(box, failedBox(error, load));
    }
    box.removeAttribute("aria-busy");
  }
  openDialog({ title: t("notices"), testid: "notices-dialog", build: () => box });
  load();
}
