// Problems in words: what happened and what can be done, by the `type` that the layer names.

import { Problem } from "./api.js";
import { h, icon } from "./dom.js";
import { currentLanguage, formatWait, hasText, t } from "./i18n.js";

/** One or two sentences about what went wrong. */
export function wordsOf(error) {
  if (!(error instanceof Problem)) {
    console.error(error);
    return t("problem.internal");
  }
  if (hasText(`rule.${error.step}`)) return t(`rule.${error.step}`);
  if (error.maybe) return `${t(causeOf(error))} ${t(`maybe.${error.maybe}`)}`;
  // The layer writes details in English.
  if (error.kind === "requirement-failed" && error.detail && currentLanguage() === "en") return error.detail;
  if (error.wait && hasText(`problem.${error.kind}.wait`)) return t(`problem.${error.kind}.wait`, { time: formatWait(error.wait) });
  return t(hasText(`problem.${error.kind}`) ? `problem.${error.kind}` : "problem.unknown");
}

/** Why nobody knows whether something was done. */
function causeOf({ kind }) {
  if (kind === "slow" || kind === "backend-timeout") return "cause.late";
  return kind === "offline" ? "cause.cut" : "cause.lost";
}

/** What only the author of a recipe can mend, as the layer says it, for the place below the words; null for all else. */
export function detailOf(error) {
  if (!(error instanceof Problem) || error.kind !== "recipes-broken" || !error.detail) return null;
  // Wide lines scroll sideways, so the keyboard must be able to come here.
  return h("pre", { class: "mistake", lang: "en", translate: "no", tabindex: "0", "data-testid": "mistake" }, error.detail);
}

/** In words what a value must be, by the rule that it does not keep: a keyword of JSON Schema, or a recipe's own. */
export function ruleWords({ rule, limit }) {
  const key = [`invalid.${rule}.${limit}`, `invalid.${rule}`].find(hasText) ?? "invalid.refused";
  return t(key, { n: limit });
}

/** What is wrong with each input of `names`, in words. */
export function fieldErrors(error, names) {
  const byName = new Map();
  for (const mistake of error instanceof Problem ? error.errors : []) {
    const name = names.find((candidate) => mistake.pointer?.split("/")[2] === candidate);
    // The first is the most telling: an empty text is not also too short.
    if (name && !byName.has(name)) byName.set(name, ruleWords(mistake));
  }
  return byName;
}

/** A box in the place of what could not be loaded. */
export function failedBox(error, retry) {
  return h(
    "div",
    { class: "failed", role: "alert", "data-testid": "failed" },
    icon("alert"),
    h("p", {}, wordsOf(error)),
    detailOf(error),
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
