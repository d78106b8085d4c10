// The form that signs in or up, for its page and for the dialog of an ended session.

import * as api from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { LIMITS } from "../limits.js";
import { tab } from "../storage.js";
import { field, isValid, problemLine, showProblem, whileBusy } from "./form.js";

/** `kind` is signin or signup; `done(user)` runs once the layer has let the visitor in. */
export function signForm({ kind, email = tab.get("sign")?.email ?? "", done }) {
  const isNew = kind === "signup";
  const input = (attributes) => h("input", { class: "input", required: true, ...attributes });
  const nameInput = input({ type: "text", autocomplete: "name", maxlength: LIMITS.name, value: tab.get("sign")?.name ?? "" });
  const emailInput = input({
    type: "email",
    autocomplete: "username",
    inputmode: "email",
    maxlength: LIMITS.email,
    spellcheck: "false",
    autocapitalize: "none",
    value: email,
  });
  const passwordInput = input({
    type: "password",
    autocomplete: isNew ? "new-password" : "current-password",
    minlength: isNew ? LIMITS.password.least : null,
    "data-most": LIMITS.password.most,
  });
  const fields = [
    field({ name: "email", label: t("email"), control: emailInput }),
    field({
      name: "password",
      label: t("password"),
      control: h("div", { class: "password" }, passwordInput, showButton(passwordInput)),
      input: passwordInput,
      hint: isNew ? t("invalid.minLength", { n: LIMITS.password.least }) : null,
    }),
  ];
  if (isNew) fields.unshift(field({ name: "name", label: t("name"), control: nameInput }));
  const line = problemLine();
  const button = h("button", { type: "submit", class: "button primary large" }, t(kind));
  const form = h(
    "form",
    { class: "sign-form", novalidate: true, "data-testid": `${kind}-form` },
    fields.map(({ element }) => element),
    line.element,
    button,
  );

  async function send() {
    nameInput.value = nameInput.value.trim();
    if (!isValid(fields)) return;
    line.clear();
    const account = { email: emailInput.value.trim(), password: passwordInput.value };
    try {
      const { user } = await (isNew ? api.signup({ name: nameInput.value, ...account }) : api.login(account));
      tab.drop("sign");
      done(user);
    } catch (error) {
      showProblem(error, fields, line);
    }
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(button, send);
  });
  // Never the password.
  form.addEventListener("input", () => tab.set("sign", { name: nameInput.value, email: emailInput.value }));
  return { element: form, first: isNew ? nameInput : emailInput.value ? passwordInput : emailInput };
}

function showButton(password) {
  const button = h("button", { type: "button", class: "password-show", "aria-pressed": "false" }, t("password.show"));
  button.addEventListener("click", () => {
    const isShown = password.type === "password";
    password.type = isShown ? "text" : "password";
    button.setAttribute("aria-pressed", String(isShown));
  });
  return button;
}
