// Asks to sign in again where the visitor is, over whatever was being done.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { openDialog } from "./dialog.js";
import { signForm } from "./sign-form.js";

/** Resolves to the user who signed in, or to null when the dialog was closed. */
export async function openSignIn(person) {
  const { closed } = openDialog({
    title: t("ended"),
    testid: "sign-in-dialog",
    build: (close) => {
      const form = signForm({ kind: "signin", email: person?.email, done: close });
      form.first.setAttribute("autofocus", "");
      return h("div", {}, h("p", { class: "muted" }, t("ended.more")), form.element);
    },
  });
  return (await closed) ?? null;
}
