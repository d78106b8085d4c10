// What was typed and not sent yet. It outlives a reload, not the tab, and belongs to one person.

import { tab } from "./storage.js";
import { me, watchMe } from "./session.js";

const nameOf = (key) => `draft:${me()?.id ?? ""}:${key}`;

export const draft = (key) => tab.get(nameOf(key));
export const dropDraft = (key) => tab.drop(nameOf(key));
export const dropDrafts = () => tab.dropAll("draft:");

// What was typed while nobody had said yet whose session this is.
const UNCLAIMED = "draft::";
watchMe((person) => {
  if (!person) return;
  for (const name of tab.names(UNCLAIMED)) {
    const key = name.slice(UNCLAIMED.length);
    // The key of what was sent goes with that sending, not with a person.
    if (key.startsWith("sent:")) continue;
    tab.set(nameOf(key), tab.get(name));
    tab.drop(name);
  }
});

/** Keeps what `values()` says on every input in a form, while `isDraft()` says that it is more than was there before. */
export function keepDraft(form, key, values, isDraft) {
  form.addEventListener("input", () => {
    if (isDraft()) tab.set(nameOf(key), values());
    else dropDraft(key);
  });
}
