// Turning pages.

import { fill, h, icon } from "../dom.js";
import { t } from "../i18n.js";
import { pathOf } from "./filters.js";

export function pager() {
  const element = h("nav", { class: "pager", "aria-label": t("pages"), hidden: true, "data-testid": "pager" });
  return {
    element,
    show(wanted, { page, pages }) {
      element.hidden = pages <= 1;
      const turn = (to, label, name) => {
        const off = to < 1 || to > pages;
        const content = name === "left" ? [icon(name), h("span", {}, label)] : [h("span", {}, label), icon(name)];
        if (off) return h("span", { class: "button", "aria-disabled": "true", role: "link" }, content);
        return h("a", { class: "button", href: pathOf({ ...wanted, page: String(to) }), rel: name === "left" ? "prev" : "next" }, content);
      };
      fill(
        element,
        turn(page - 1, t("previous"), "left"),
        h("span", { class: "pager-at" }, t("page.of", { page, pages })),
        turn(page + 1, t("next"), "right"),
      );
    },
  };
}
