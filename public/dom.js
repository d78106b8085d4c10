// Elements without innerHTML: data only ever becomes text or an attribute, so no text can become markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element; attributes that are null or false are left out, `onclick` and its like become listeners. */
export function h(name, attributes, ...children) {
  return dress(document.createElement(name), attributes, children);
}

/** The same in SVG. */
export function svg(name, attributes, ...children) {
  return dress(document.createElementNS(SVG, name), attributes, children);
}

function dress(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "class") element.setAttribute("class", [value].flat().filter(Boolean).join(" "));
    else if (key === "value" && "value" in element) element.value = value;
    else if (key === "checked") element.checked = Boolean(value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...kept(children));
  return element;
}

/** Children without the holes that `condition && element` leaves. */
function kept(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

/** Replaces all children. */
export function fill(element, ...children) {
  element.replaceChildren(...kept(children));
  return element;
}

let isPressed = false;
const waiting = [];
addEventListener("pointerdown", () => (isPressed = true), { capture: true });
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, released, { capture: true });

/** Runs `fn` now, or after the release of a button that is held: what is replaced under it would get no click. */
export function whenReleased(fn) {
  if (isPressed || waiting.length > 0) waiting.push(fn);
  else fn();
}

function released() {
  isPressed = false;
  // In a task of its own: the click comes right after the release.
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    if (!isPressed) for (const fn of waiting.splice(0)) fn();
  };
  port2.postMessage(null);
}

let last = 0;
/** An id that no other element of this page has. */
export function uniqueId(prefix) {
  last += 1;
  return `${prefix}-${last}`;
}

/** Waits for a pause in calls: `fn` runs once, `ms` after the last. */
export function debounce(fn, ms) {
  let timer;
  const later = (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => fn(...args), ms);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}

const SHAPES = {
  check: "m5 12.5 4.5 4.5L19 7",
  plus: "M12 5v14M5 12h14",
  search: "M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14Zm5 12 4 4",
  close: "m6 6 12 12M18 6 6 18",
  edit: "M4 20h4L19.5 8.5a2.1 2.1 0 0 0-4-4L4 16v4Zm9.5-13.5 4 4",
  trash: "M4 7h16M9.5 7V4h5v3M6 7l1 13h10l1-13M10 11v5m4-5v5",
  more: "M5.5 12h.01M12 12h.01M18.5 12h.01",
  calendar: "M5 6h14v14H5zM5 10.5h14M9 3.5V7m6-3.5V7",
  person: "M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8ZM4.5 20c.8-3.7 3.7-5.5 7.5-5.5s6.7 1.8 7.5 5.5",
  list: "M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01",
  chart: "M5 20v-7m7 7V4m7 16v-10",
  back: "M19 12H5m6-6-6 6 6 6",
  left: "m14.5 6-6 6 6 6",
  right: "m9.5 6 6 6-6 6",
  bell: "M6 17V11a6 6 0 0 1 12 0v6l1.5 1h-15zM10 20.5h4",
  pause: "M9 6v12m6-12v12",
  play: "M8 5.5v13l10.5-6.5z",
  archive: "M4 5h16v4H4zm1 4v10h14V9m-9 4h4",
  undo: "M9 8 4.5 12.5 9 17m-4.5-4.5H15a4.5 4.5 0 0 0 0-9h-3",
  comment: "M4 5h16v11h-9l-4.5 4v-4H4z",
  select: "M4 5h7v7H4zm10 3h6M4 16h7m3 0h6m-6-4h6",
  alert: "M12 4 2.5 20h19zM12 10v4.5m0 2.7v.01",
  note: "M5 7h14M5 12h14M5 17h8",
};

/** A line drawing that says nothing to a screen reader: what it means stands beside it, or in a label. */
export function icon(name) {
  return svg(
    "svg",
    { class: ["icon", `icon-${name}`], viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: SHAPES[name] }),
  );
}

/** A round button with a drawing and a label that is read and shown as a hint. */
export function iconButton(name, label, attributes = {}) {
  const { class: more, ...others } = attributes;
  return h("button", { type: "button", class: ["icon-button", more], "aria-label": label, title: label, ...others }, icon(name));
}
