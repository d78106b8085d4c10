// Choosing many todos, and the bar that says what can be done with them.

import { fill, h, icon } from "../dom.js";
import { t } from "../i18n.js";
import { mayRemove, remove, setStatusOfMany } from "../todos.js";

/** `changed()` runs when what is chosen, or whether anything can be, has changed. */
export function makeSelection({ changed }) {
  let isOn = false;
  const chosen = new Map();
  const element = h("div", { class: "selection", role: "region", "aria-label": t("selection"), hidden: true, "data-testid": "selection" });

  function set(on) {
    isOn = on;
    chosen.clear();
    changed();
  }
  function toggle(todo) {
    if (!chosen.delete(todo.id)) chosen.set(todo.id, todo);
    changed();
  }
  function act(work) {
    const todos = [...chosen.values()];
    set(false);
    work(todos);
  }
  /** Draws the bar for the todos that can be seen. */
  function show(todos) {
    const seen = new Set(todos.map(({ id }) => id));
    for (const id of chosen.keys()) if (!seen.has(id)) chosen.delete(id);
    element.hidden = !isOn;
    const n = chosen.size;
    const all = n === todos.length;
    const selectAll = () => {
      for (const todo of todos) chosen.set(todo.id, todo);
      if (all) chosen.clear();
      changed();
    };
    const button = (name, label, run, tone, isOff = n === 0) =>
      h("button", { type: "button", class: ["button", tone], disabled: isOff, onclick: run, "data-focus": name }, icon(name), h("span", {}, label));
    const focused = element.contains(document.activeElement) && document.activeElement.dataset.focus;
    fill(
      element,
      h("p", { class: "selection-n", role: "status" }, t("selected", { n })),
      h("button", { type: "button", class: "button", onclick: selectAll, "data-focus": "all" }, t(all && n > 0 ? "select.none" : "select.all")),
      button("check", t("become.done"), () => act((found) => setStatusOfMany(found, "done"))),
      button("trash", t("remove"), () => act(remove), "bad", n === 0 || ![...chosen.values()].every(mayRemove)),
      h("button", { type: "button", class: "button", onclick: () => set(false), "data-focus": "close" }, t("cancel")),
    );
    if (focused) element.querySelector(`[data-focus=${focused}]`)?.focus();
  }
  return {
    element,
    show,
    set,
    toggle,
    has: (id) => chosen.has(id),
    get isOn() {
      return isOn;
    },
  };
}
