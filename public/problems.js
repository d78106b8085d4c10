// Problems in words: what happened and what can be done, by the `type` that the layer names.

import { Problem } from "./api.js";
import { h, icon } from "./dom.js";
import { currentLanguage, hasText, t } from "./i18n.js";

/** One or two sentences about what went wrong. */
export function wordsOf(error) {
  if (!(error instanceof Problem)) {
    console.error(error);
    return t("problem.internal");
  }
  if (hasText(`rule.${error.step}`)) return t(`rule.${error.step}`);
  if (error.kind === "requirement-failed" && error.detail) return error.detail;
  return t(hasText(`problem.${error.kind}`) ? `problem.${error.kind}` : "problem.unknown");
}

/** The problem's errors by input name; `others` are those that no input of `names` has. */
export function fieldErrors(error, names) {
  const byName = new Map();
  const others = [];
  for (const { pointer = "", detail = "" } of error instanceof Problem ? error.errors : []) {
    const name = names.find((candidate) => pointer.split("/")[2] === candidate);
    if (name) byName.set(name, detail);
    else if (detail) others.push(detail);
  }
  return { byName, others };
}

/** The layer writes details in English: a screen reader must not read them as Chinese. */
export const detailLanguage = () => (currentLanguage() === "en" ? null : "en");

/** A box in the place of what could not be loaded. */
export function failedBox(error, retry) {
  return h(
    "div",
    { class: "failed", role: "alert", "data-testid": "failed" },
    icon("alert"),
    h("p", {}, wordsOf(error)),
    retry && h("button", { type: "button", class: "button", onclick: retry }, t("retry")),
  );
}

/** A box in the place of one part of a page that is missing; `what` names the part. */
export function missingBox(what, retry) {
  return h(
    "div",
    { class: "missing", role: "group", "aria-label": t("missing.part", { what }), "data-testid": "missing" },
    icon("alert"),
    h("p", {}, t("missing.part", { what })),
    h("button", { type: "button", class: "button small", onclick: retry }, t("retry")),
  );
}

/** A line that says that something of the page is not new, because what it comes from does not answer. */
export function oldNote(page) {
  const isOld = (page.errors ?? []).some((error) => error.stale);
  return isOld && h("p", { class: "muted", role: "note", "data-testid": "old" }, t("old"));
}

/** Which parts of a partial page are missing, by the paths in `errors[].fields`; what is old is there. */
export function missingParts(page) {
  const paths = (page.errors ?? []).flatMap((error) => (error.stale ? [] : (error.fields ?? [])));
  const under = (path, part) => path.startsWith(`${part}.`) || path.startsWith(`${part}[`);
  return {
    any: paths.length > 0,
    /** The whole part is missing. */
    whole: (part) => paths.includes(part),
    /** The part, or something in it, is missing. */
    some: (part) => paths.some((path) => path === part || under(path, part)),
  };
}
