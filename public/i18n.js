// Texts, numbers and dates in the language of the reader.

import { TEXTS } from "./texts.js";
import { device } from "./storage.js";

const LANGUAGES = { en: "en", zh: "zh-CN" };
const watchers = new Set();
let language = chosen() ?? preferred();
let locale = localeOf(language);
document.documentElement.lang = LANGUAGES[language];

function chosen() {
  const found = device.get("language");
  return found in LANGUAGES ? found : null;
}

function preferred() {
  for (const wanted of navigator.languages ?? [navigator.language]) {
    const found = wanted.toLowerCase().split("-")[0];
    if (found in LANGUAGES) return found;
  }
  return "en";
}

/** The reader's own kind of the language decides how dates are written: en-GB, en-US … */
function localeOf(wanted) {
  return navigator.languages?.find((tag) => tag.toLowerCase().split("-")[0] === wanted) ?? LANGUAGES[wanted];
}

export const currentLanguage = () => language;
export const watchLanguage = (watcher) => watchers.add(watcher);

export function setLanguage(wanted) {
  language = wanted;
  locale = localeOf(wanted);
  device.set("language", wanted);
  document.documentElement.lang = LANGUAGES[wanted];
  for (const watcher of watchers) watcher();
}

/** The text of a key; `{name}` is replaced; "one|other" is chosen by `n`. */
export function t(key, values = {}) {
  const pair = TEXTS[key];
  if (!pair) throw new Error(`no text for ${key}`);
  const text = pair[language === "zh" ? 1 : 0];
  const [one, other] = text.split("|");
  const rule = other === undefined || new Intl.PluralRules(locale).select(values.n) === "one";
  return (rule ? one : other).replace(/\{(\w+)\}/g, (_, name) =>
    typeof values[name] === "number" ? number(values[name]) : String(values[name] ?? ""),
  );
}

export const hasText = (key) => key in TEXTS;
export const number = (value) => new Intl.NumberFormat(locale).format(value);

/** As much of a text as a message has room for. */
export function short(text, most = 60) {
  const letters = [...text];
  return letters.length > most ? `${letters.slice(0, most - 1).join("").trimEnd()}…` : text;
}

/** How long to wait, from seconds to hours. */
export function formatWait(seconds) {
  const [value, unit] = seconds < 120 ? [seconds, "second"] : seconds < 7200 ? [seconds / 60, "minute"] : [seconds / 3600, "hour"];
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(Math.ceil(value));
}

/** A day ("2026-11-23") as local midnight: `new Date` would read it as UTC and may name the day before. */
export function dayOf(text) {
  const [year, month, day] = text.slice(0, 10).split("-").map(Number);
  return new Date(year, month - 1, day);
}

/** A local day as the API writes it. */
export function dayText(date) {
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((n) => String(n).padStart(2, "0")).join("-");
}

/** A moment; some backends write a space where ISO 8601 has a T. */
export const momentOf = (text) => new Date(text.replace(" ", "T"));

export function formatDay(date, options = { day: "numeric", month: "short" }) {
  return new Intl.DateTimeFormat(locale, options).format(date);
}

export function formatMoment(date) {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(date);
}

export function daysUntil(date) {
  const today = new Date();
  const midnight = new Date(today.getFullYear(), today.getMonth(), today.getDate());
  return Math.round((date - midnight) / 86_400_000);
}

/** A due day in the words of a conversation: today, tomorrow, 3 days ago, 5 Dec. */
export function formatDue(date) {
  const days = daysUntil(date);
  if (Math.abs(days) <= 6) {
    return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(days, "day");
  }
  const thisYear = date.getFullYear() === new Date().getFullYear();
  return formatDay(date, { day: "numeric", month: "short", year: thisYear ? undefined : "numeric" });
}

/** How long ago something was, from "now" to a date. */
export function formatAgo(date) {
  const minutes = Math.round((Date.now() - date) / 60_000);
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  if (minutes < 1) return relative.format(0, "second");
  if (minutes < 60) return relative.format(-minutes, "minute");
  if (minutes < 60 * 24) return relative.format(-Math.round(minutes / 60), "hour");
  if (minutes < 60 * 24 * 7) return relative.format(-Math.round(minutes / 1440), "day");
  return formatDay(date, { day: "numeric", month: "short", year: "numeric" });
}
