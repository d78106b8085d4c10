// A menu beside the button that opens it (the ARIA menu button pattern, on the browser's popovers).

import { h, icon } from "../dom.js";

/** Opens a menu of {icon, label, run, tone?} under `button`. */
export function openMenu(button, label, items) {
  const menu = h("div", { class: "menu", role: "menu", popover: "auto", "aria-label": label });
  menu.append(
    ...items.map((item) =>
      h(
        "button",
        {
          type: "button",
          role: "menuitem",
          tabindex: "-1",
          class: ["menu-item", item.tone],
          onclick: () => {
            menu.hidePopover();
            item.run();
          },
        },
        icon(item.icon),
        h("span", {}, item.label),
      ),
    ),
  );
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Tab") menu.hidePopover();
    if (!step && event.key !== "Home" && event.key !== "End") return;
    event.preventDefault();
    const buttons = [...menu.children];
    const at = buttons.indexOf(document.activeElement);
    const next = step ? (at + step + buttons.length) % buttons.length : event.key === "Home" ? 0 : buttons.length - 1;
    buttons[next].focus();
  });
  menu.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    button.setAttribute("aria-expanded", "false");
    if (menu.contains(document.activeElement) || document.activeElement === document.body) button.focus({ preventScroll: true });
    menu.remove();
  });
  document.body.append(menu);
  button.setAttribute("aria-expanded", "true");
  menu.showPopover();
  placeBeside(menu, button);
  menu.firstElementChild.focus();
}

/** Under the button's end edge, or above it where there is no room. */
export function placeBeside(popover, button) {
  const place = button.getBoundingClientRect();
  const { width, height } = popover.getBoundingClientRect();
  const gap = 6;
  const below = place.bottom + gap + height <= innerHeight;
  const left = Math.min(Math.max(gap, place.right - width), innerWidth - width - gap);
  popover.style.setProperty("left", `${left}px`);
  popover.style.setProperty("top", `${below ? place.bottom + gap : Math.max(gap, place.top - gap - height)}px`);
}
