// What stands around every page: the bar, the menu of the account, the messages.

import { h, fill, icon, uniqueId } from "./dom.js";
import { currentLanguage, setLanguage, t } from "./i18n.js";
import { showKeys } from "./keys.js";
import { showNotices } from "./parts/notices.js";
import { placeBeside } from "./parts/menu.js";
import { avatar } from "./parts/person.js";
import { showPictureDialog } from "./parts/picture-dialog.js";
import { toastElements } from "./parts/toasts.js";
import { me } from "./session.js";
import { device } from "./storage.js";

const LANGUAGES = [
  ["en", "English"],
  ["zh", "中文"],
];

/** Builds the frame into the document; returns the element that holds the page and what redraws the rest. */
export function buildShell({ signOut, addNew }) {
  const main = h("main", { id: "main", tabindex: "-1" });
  const account = accountMenu(signOut);
  const bar = h("div", { class: "bar-inside" }, account.button);
  const tabs = h("nav", { class: "tabs", "aria-label": t("nav.phone") });
  const skip = h("a", { class: "skip", href: "#main" }, t("skip"));
  skip.addEventListener("click", (event) => {
    event.preventDefault();
    (main.querySelector("h1") ?? main).focus();
  });
  fill(document.body, skip, h("header", { class: "bar" }, bar), main, tabs, toastElements());

  function redraw(path) {
    const isSigning = path === "/signin" || path === "/signup";
    const links = isSigning ? [] : pageLinks(path);
    const brand = [
      h("img", { src: "/icon.svg", alt: "", width: "30", height: "30" }),
      h("span", { class: "brand-name" }, t("app")),
    ];
    account.draw(isSigning ? null : me());
    // The button stays where it is: whoever is on it keeps the focus.
    for (const part of [...bar.children]) if (part !== account.button) part.remove();
    account.button.before(
      isSigning ? h("span", { class: "brand" }, brand) : h("a", { class: "brand", href: "/" }, brand),
      ...(isSigning ? [] : [h("nav", { class: "bar-nav", "aria-label": t("nav") }, links)]),
    );
    tabs.hidden = isSigning;
    const add = h("button", { type: "button", class: "tab-add", "aria-label": t("add.long"), onclick: addNew }, icon("plus"));
    const [list, stats] = isSigning ? [] : pageLinks(path);
    fill(tabs, list, add, stats);
    document.body.dataset.page = isSigning ? "sign" : "app";
  }
  return { main, redraw };
}

function pageLinks(path) {
  const link = (href, name, label) =>
    h("a", { href, class: "nav-link", "aria-current": path === href ? "page" : null }, icon(name), h("span", {}, label));
  return [link("/", "list", t("todos")), link("/stats", "chart", t("stats"))];
}

/** The button of the account and its menu. Both follow who is signed in, the menu also while it is open. */
function accountMenu(signOut) {
  let person = null;
  let showPerson = () => {};
  const button = h("button", {
    type: "button",
    class: "account",
    "aria-haspopup": "dialog",
    "aria-expanded": "false",
    "data-testid": "account",
    onclick: open,
  });

  function draw(now) {
    person = now;
    fill(
      button,
      person ? avatar(person) : h("span", { class: "avatar settings", "aria-hidden": "true" }, "文"),
      h("span", { class: "unseen" }, person ? t("account.of", { name: person.name }) : t("settings")),
    );
    showPerson();
  }

  function open() {
    const popover = h("div", { class: "popover", popover: "auto", role: "dialog", "aria-label": t("settings"), "data-testid": "settings" });
    const item = (name, label, run) =>
      h("button", { type: "button", class: "menu-item", onclick: () => (popover.hidePopover(), run()) }, icon(name), h("span", {}, label));
    const who = h("div", { class: "who" });
    const picture = item("person", t("picture.change"), showPictureDialog);
    const notices = item("bell", t("notices"), showNotices);
    const leave = item("right", t("signout"), signOut);
    // Nothing is moved when somebody becomes known, so what has the focus keeps it.
    showPerson = () => {
      for (const ofPerson of [who, picture, notices, leave]) ofPerson.hidden = !person;
      fill(who, person && [avatar(person), h("div", {}, h("strong", {}, person.name), h("span", {}, person.email))]);
      if (popover.isConnected) placeBeside(popover, button);
    };
    fill(
      popover,
      who,
      choices(t("language"), LANGUAGES, currentLanguage(), (wanted) => {
        popover.hidePopover();
        setLanguage(wanted);
        document.querySelector(".account")?.focus({ preventScroll: true });
      }),
      choices(t("theme"), ["system", "light", "dark"].map((name) => [name, t(`theme.${name}`)]), theme(), setTheme),
      h("hr"),
      picture,
      notices,
      item("list", t("keys"), showKeys),
      leave,
    );
    popover.addEventListener("toggle", (event) => {
      if (event.newState !== "closed") return;
      button.setAttribute("aria-expanded", "false");
      if (popover.contains(document.activeElement)) button.focus({ preventScroll: true });
      popover.remove();
    });
    document.body.append(popover);
    button.setAttribute("aria-expanded", "true");
    popover.showPopover();
    showPerson();
    popover.querySelector("input:checked").focus();
  }

  return { button, draw };
}

function choices(label, options, value, choose) {
  const name = uniqueId("choice");
  return h(
    "fieldset",
    { class: "segments" },
    h("legend", {}, label),
    h(
      "div",
      { class: "segments-row" },
      options.map(([key, text]) =>
        h(
          "label",
          { class: "segment" },
          h("input", { type: "radio", name, value: key, checked: key === value, onchange: () => choose(key) }),
          h("span", { lang: key === "zh" ? "zh-CN" : key === "en" ? "en" : null }, text),
        ),
      ),
    ),
  );
}

const theme = () => document.documentElement.dataset.theme ?? "system";

function setTheme(wanted) {
  if (wanted === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = wanted;
  device.set("theme", wanted);
}
