// Choosing many todos, and the bar that says what can be done with them.

import { fill, h, icon, uniqueId } from "../dom.js";
import { t } from "../i18n.js";
import { mayRemove, remove, setStatusOfMany } from "../todos.js";

/** `changed()` runs when what is chosen, or whether anything can be, has changed. */
export function makeSelection({ changed }) {
  let isOn = false;
  const chosen = new Map();
  const whyId = uniqueId("why");
  const element = h("div", { class: "selection", role: "region", "aria-label": t("selection"), hidden: true, "data-testid": "selection" });

  // Messages stand above the bar, however high it is.
  new ResizeObserver(() => {
    document.documentElement.style.setProperty("--selection", `${element.offsetHeight}px`);
  }).observe(element);

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
    const others = [...chosen.values()].filter((todo) => !mayRemove(todo)).length;
    const why = n === 0 ? t("select.first") : others > 0 ? t("select.others", { n: others }) : "";
    // Not `disabled`: who cannot see the words beside it must be able to come to the button and hear them.
    const button = (name, label, run, tone, isOff = n === 0) =>
      h(
        "button",
        {
          type: "button",
          class: ["button", tone],
          "aria-disabled": isOff ? "true" : null,
          "aria-describedby": isOff ? whyId : null,
          onclick: () => !isOff && run(),
          "data-focus": name,
        },
        icon(name),
        h("span", {}, label),
      );
    const focused = element.contains(document.activeElement) && document.activeElement.dataset.focus;
    fill(
      element,
      h(
        "div",
        { class: "selection-n", role: "status" },
        h("p", {}, t("selected", { n })),
        why && h("p", { class: "selection-why", id: whyId, "data-testid": "selection-why" }, why),
      ),
      h("button", { type: "button", class: "button", onclick: selectAll, "data-focus": "all" }, t(all && n > 0 ? "select.none" : "select.all")),
      button("check", t("become.done"), () => act((found) => setStatusOfMany(found, "done"))),
      button("trash", t("remove"), () => act(remove), "bad", n === 0 || others > 0),
      h("button", { type: "button", class: "button", onclick: () => set(false), "data-focus": "close" }, t("cancel")),
    );
    if (focused) element.querySelector(`[data-focus=${focused}]`)?.focus({ preventScroll: true });
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
