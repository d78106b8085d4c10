// A person in a circle and by name.

import { h } from "../dom.js";
import { isThere, leaveOut, noteThere, pictureOf } from "../pictures.js";

const TINTS = 7;

/** A circle with the person's picture, or their initials until it is there; its tint stays the same for one person. */
export function avatar(person) {
  const code = [...person.id].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) >>> 0, 7);
  const attributes = { class: ["avatar", `tint-${code % TINTS}`], "aria-hidden": "true", "data-person": person.id };
  return h("span", attributes, initials(person.name), picture(person));
}

/** Shows a person anew wherever they are on the page. */
export function redrawAvatars(person) {
  for (const shown of document.querySelectorAll(`.avatar[data-person="${CSS.escape(person.id)}"]`)) {
    shown.replaceWith(avatar(person));
  }
}

function picture(person) {
  const src = pictureOf(person);
  if (!src) return null;
  const known = isThere(src);
  const image = h("img", {
    alt: "",
    width: "128",
    height: "128",
    class: known ? "is-there" : null,
    // What is drawn anew must not flash.
    ...(known ? { decoding: "sync" } : { decoding: "async", loading: "lazy" }),
  });
  image.addEventListener("load", () => {
    noteThere(src);
    image.classList.add("is-there");
  });
  image.addEventListener("error", () => {
    leaveOut(src);
    image.remove();
  });
  image.src = src;
  return image;
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
