// Picks one person by typing (the ARIA combobox pattern with a list that is searched by the layer).

import * as api from "../api.js";
import { debounce, fill, h, iconButton, uniqueId } from "../dom.js";
import { t } from "../i18n.js";
import { LIMITS } from "../limits.js";
import { detailOf, wordsOf } from "../problems.js";
import { avatar, personChip } from "./person.js";

export function peoplePicker({ value = null } = {}) {
  let person = value;
  let found = [];
  let active = -1;
  let asked = null;
  const listId = uniqueId("people");
  const list = h("ul", { class: "people", role: "listbox", id: listId, "aria-label": t("people"), hidden: true });
  const said = h("div", { class: "people-said", role: "status", hidden: true });
  const input = h("input", {
    class: "input",
    type: "text",
    role: "combobox",
    autocomplete: "off",
    maxlength: LIMITS.person,
    placeholder: t("helper.search"),
    "aria-autocomplete": "list",
    "aria-controls": listId,
    "aria-expanded": "false",
  });
  const chosen = h("div", { class: "chosen", hidden: true });
  const element = h("div", { class: "picker" }, input, chosen, h("div", { class: "people-box" }, list, said));

  function show() {
    chosen.hidden = !person;
    input.hidden = Boolean(person);
    const clear = () => {
      choose(null);
      input.focus();
    };
    fill(chosen, person && personChip(person), person && iconButton("close", t("helper.clear"), { onclick: clear }));
  }

  function choose(wanted) {
    person = wanted;
    input.value = "";
    close();
    show();
    element.dispatchEvent(new Event("input", { bubbles: true }));
    if (person) chosen.querySelector("button").focus();
  }

  function close() {
    later.cancel();
    asked?.abort();
    list.hidden = true;
    said.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  async function search() {
    asked?.abort();
    asked = new AbortController();
    const { signal } = asked;
    try {
      found = (await api.people(input.value.trim(), signal)).people;
      if (!signal.aborted) showFound();
    } catch (error) {
      if (signal.aborted) return;
      const again = h("button", { type: "button", class: "button small", onclick: search }, t("retry"));
      found = [];
      showFound([wordsOf(error), " ", again, detailOf(error)]);
    }
  }

  function showFound(words = t("helper.none")) {
    active = found.length > 0 && input.value ? 0 : -1;
    fill(list, found.map(option));
    list.hidden = found.length === 0;
    said.hidden = found.length > 0;
    fill(said, found.length === 0 && words);
    input.setAttribute("aria-expanded", String(found.length > 0));
    mark();
  }

  function option(candidate, at) {
    const attributes = { role: "option", id: `${listId}-${at}`, class: "people-one", "aria-selected": "false" };
    // The list must not take the focus from the input, or the list would close before the click.
    const keep = (event) => event.preventDefault();
    return h(
      "li",
      { ...attributes, onpointerdown: keep, onclick: () => choose(candidate) },
      avatar(candidate),
      h("span", {}, candidate.name),
    );
  }

  function mark() {
    [...list.children].forEach((child, at) => child.setAttribute("aria-selected", String(at === active)));
    const current = list.children[active];
    if (current) input.setAttribute("aria-activedescendant", current.id);
    else input.removeAttribute("aria-activedescendant");
    current?.scrollIntoView({ block: "nearest" });
  }

  function onKey(event) {
    const isOpen = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen) return void search();
      const step = event.key === "ArrowDown" ? 1 : -1;
      active = (active + step + found.length) % found.length;
      mark();
    } else if (event.key === "Enter" && isOpen && active >= 0) {
      event.preventDefault();
      choose(found[active]);
    } else if (event.key === "Escape" && (isOpen || !said.hidden)) {
      // Only the list closes, not the dialog around it.
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  }

  const later = debounce(search, 200);
  input.addEventListener("input", later);
  input.addEventListener("focus", search);
  input.addEventListener("keydown", onKey);
  element.addEventListener("focusout", (event) => {
    if (!element.contains(event.relatedTarget)) close();
  });
  show();
  return {
    element,
    input,
    get value() {
      return person;
    },
    set(wanted) {
      person = wanted;
      show();
    },
  };
}
