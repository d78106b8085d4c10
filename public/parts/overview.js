// The head of the list: who is greeted, which day it is, how much is done.

import { fill, h, svg } from "../dom.js";
import { formatDay, t } from "../i18n.js";

const PARTS_OF_DAY = [
  [5, "night"],
  [12, "morning"],
  [18, "afternoon"],
  [22, "evening"],
  [24, "night"],
];

export function greeting(me) {
  const hour = new Date().getHours();
  const part = PARTS_OF_DAY.find(([end]) => hour < end)[1];
  const name = me?.name.trim().split(/\s+/)[0];
  return name ? t(`greet.${part}`, { name }) : t("todos");
}

export const today = () => formatDay(new Date(), { weekday: "long", day: "numeric", month: "long" });

/** A ring that fills with what is finished. */
export function progress() {
  const element = h("section", { class: "progress card", "aria-label": t("progress"), "data-testid": "progress", hidden: true });
  function show(counts) {
    const total = counts ? counts.open + counts.done + counts.paused : 0;
    element.hidden = total === 0;
    if (total === 0) return;
    const share = Math.round((counts.done / total) * 100);
    const ring = (name, dash) =>
      svg("circle", { class: name, cx: "22", cy: "22", r: "18", pathLength: "100", "stroke-dasharray": dash });
    fill(
      element,
      svg("svg", { class: "ring", viewBox: "0 0 44 44", "aria-hidden": "true" }, ring("ring-all", "100 0"), share > 0 && ring("ring-done", `${share} ${100 - share}`)),
      h("div", {}, h("p", { class: "progress-n" }, `${share}%`), h("p", { class: "muted" }, t("progress.of", { n: counts.done, total }))),
    );
  }
  return { element, show };
}
