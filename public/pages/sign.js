// Signing in and up.

import { fill, h, icon } from "../dom.js";
import { t } from "../i18n.js";
import { signForm } from "../parts/sign-form.js";
import { navigate } from "../router.js";
import { isProven, signedIn } from "../session.js";
import { forgetList } from "./list.js";

export const signPage = (kind) => ({
  open(root, { url }) {
    const next = safeNext(url.searchParams.get("next"));
    if (isProven()) queueMicrotask(() => navigate(next, { replace: true }));
    const { element, first } = signForm({
      kind,
      done: (user) => {
        forgetList();
        signedIn(user);
        navigate(next, { replace: true });
      },
    });
    const other = kind === "signin" ? "signup" : "signin";
    const otherPath = `/${other}${url.search}`;
    fill(
      root,
      h(
        "div",
        { class: "sign" },
        h(
          "div",
          { class: "sign-card" },
          h("h1", { tabindex: "-1", "data-title": t(kind) }, t(`${kind}.title`)),
          h("p", { class: "muted" }, t(next === "/" ? `${kind}.more` : "signin.next")),
          element,
          h("p", { class: "sign-other" }, t(`${kind}.other`), " ", h("a", { href: otherPath }, t(other))),
        ),
        h("ul", { class: "sign-points", "aria-hidden": "true" }, ["one", "two", "three"].map(point)),
      ),
    );
    first.focus();
    return {};
  },
});

const point = (name) => h("li", {}, h("span", { class: "tick is-done" }, icon("check")), t(`sign.point.${name}`));

/** Only an address of this app: `next` comes from the address bar, which anyone may have written. */
function safeNext(next) {
  if (!next || !URL.canParse(next, location.origin)) return "/";
  const url = new URL(next, location.origin);
  // A path such as //other.example is an address of another site once it stands alone.
  const ours = url.origin === location.origin && !/^\/(\/|sign)/.test(url.pathname);
  return ours ? url.pathname + url.search : "/";
}
