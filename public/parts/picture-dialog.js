// One's own picture: chosen, shown as it will be, sent with its progress, removed.

import * as api from "../api.js";
import { fill, h, icon, uniqueId } from "../dom.js";
import { t } from "../i18n.js";
import { changePicture, pictureOf } from "../pictures.js";
import { amendMe, me } from "../session.js";
import { openDialog } from "./dialog.js";
import { field, problemLine, whileBusy } from "./form.js";
import { avatar, redrawAvatars } from "./person.js";
import { toast } from "./toasts.js";

const TYPES = ["image/png", "image/jpeg", "image/webp"];
const LARGEST = 2 * 1024 * 1024;

export function showPictureDialog() {
  openDialog({ title: t("picture"), testid: "picture-dialog", class: "picture-dialog", build: content });
}

function content(close) {
  const person = me();
  const shown = h("div", { class: "picture-shown" }, avatar(person));
  const id = uniqueId("picture");
  const input = h("input", { type: "file", id, class: "unseen", accept: TYPES.join(","), required: true, "data-testid": "picture-file" });
  // The browser's own button speaks the browser's language, which need not be the one that was chosen here.
  const fileName = h("span", { class: "file-name" });
  const control = h("div", { class: "file-control" }, input, h("label", { for: id, class: "button" }, t("picture.choose")), fileName);
  const chosen = field({ name: "picture", label: t("picture.file"), control, input, hint: t("picture.hint") });
  const bar = h("progress", { max: "1", value: "0", "aria-label": t("picture.sending"), hidden: true });
  const line = problemLine();
  const save = h("button", { type: "submit", class: "button primary" }, t("picture.save"));
  const remove = h("button", { type: "button", class: "button bad" }, icon("trash"), h("span", {}, t("picture.remove")));
  const form = h(
    "form",
    { class: "picture-form", novalidate: true },
    shown,
    chosen.element,
    bar,
    line.element,
    h("div", { class: "form-actions" }, pictureOf(person) && remove, save),
  );

  /** The file, if it can be a picture; else says why not. */
  function fitting() {
    const file = input.files[0];
    const wrong = !file ? "picture.none" : !TYPES.includes(file.type) ? "picture.type" : file.size > LARGEST && "picture.large";
    chosen.show(wrong ? t(wrong) : "");
    return wrong ? null : file;
  }

  async function preview() {
    line.clear();
    fileName.textContent = input.files[0]?.name ?? "";
    const file = fitting();
    const circle = avatar({ ...person, picture: null });
    if (file) circle.append(h("img", { src: await dataUrl(file), alt: "", class: "is-there" }));
    fill(shown, circle);
  }

  async function send() {
    const file = fitting();
    if (!file) return input.focus();
    line.clear();
    bar.hidden = false;
    try {
      const sent = (share) => (bar.value = share);
      show(await api.savePicture(person, file, pictureOf(person) !== null, sent));
      toast(t("picture.saved"));
    } catch (error) {
      const refused = error.kind === "unprocessable" || error.kind === "body-too-large";
      if (refused) line.show(t("picture.refused"));
      else line.showError(error);
    } finally {
      bar.hidden = true;
    }
  }

  async function takeAway() {
    line.clear();
    try {
      await api.removePicture();
      show(null);
      toast(t("picture.removed"));
    } catch (error) {
      line.showError(error);
    }
  }

  function show(picture) {
    changePicture(person.id, picture);
    amendMe({ picture });
    redrawAvatars({ ...person, picture });
    close();
  }

  input.addEventListener("change", preview);
  remove.addEventListener("click", () => whileBusy(remove, takeAway));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(save, send);
  });
  return form;
}

/** The page's policy allows pictures from here and as text in the page, not from elsewhere. */
function dataUrl(file) {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.readAsDataURL(file);
  });
}
