// A person in a circle and by name.

import { h } from "../dom.js";

const TINTS = 7;

/** A circle with initials; its tint stays the same for one person. */
export function avatar(person) {
  const code = [...person.id].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) >>> 0, 7);
  return h("span", { class: ["avatar", `tint-${code % TINTS}`], "aria-hidden": "true" }, initials(person.name));
}

function initials(name) {
  const words = name.trim().split(/\s+/).filter((word, at) => at === 0 || /^\p{L}/u.test(word));
  const letters = words.map((word) => [...word][0] ?? "");
  if (/^\p{Script=Han}/u.test(name)) return [...words[0]].slice(-1).join("");
  return [letters[0], words.length > 1 && letters.at(-1)].filter(Boolean).join("").toUpperCase();
}

export function personChip(person) {
  return h("span", { class: "person" }, avatar(person), h("span", { class: "person-name" }, person.name));
}
