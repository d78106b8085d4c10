// An address that no page has.

import { fill, h } from "../dom.js";
import { t } from "../i18n.js";

export const unknownPage = {
  open(root) {
    fill(
      root,
      h(
        "div",
        { class: "page narrow center" },
        h("p", { class: "big-code", "aria-hidden": "true" }, "404"),
        h("h1", { tabindex: "-1" }, t("unknown")),
        h("p", { class: "muted" }, t("unknown.more")),
        h("a", { href: "/", class: "button primary" }, t("to-list")),
      ),
    );
    return {};
  },
};
