// Who is signed in, and what happens when the session has ended.

import * as api from "./api.js";
import { tab } from "./storage.js";

const watchers = new Set();
let person = tab.get("me");
let proven = false;
let asking = null;

/** The person signed in in this tab, as far as it is known: {id, name, email} or null. */
export const me = () => person;

/** True once the layer has answered for this person since the page was loaded. */
export const isProven = () => proven;

export function watchMe(watcher) {
  watchers.add(watcher);
}

export function signedIn(user) {
  const changed = JSON.stringify(user) !== JSON.stringify(person);
  person = user;
  proven = true;
  tab.set("me", user);
  if (changed) for (const watcher of watchers) watcher(person);
}

/** Notes what the person signed in has changed of themselves; whoever changes it shows it. */
export function amendMe(part) {
  person = { ...person, ...part };
  tab.set("me", person);
}

export function signedOut() {
  person = null;
  proven = false;
  tab.drop("me");
  tab.dropAll("draft:");
  for (const watcher of watchers) watcher(null);
}

/** Learns who is signed in on pages whose own answer does not say it. */
export async function learnMe(signal) {
  if (proven) return;
  signedIn((await api.home({ per_page: 1 }, signal)).me);
}

/** `ask` shows the sign-in dialog and resolves to the user, or to null; many requests that end share one dialog. */
export function renewSessionBy(ask) {
  api.whenSignedOut(async () => {
    asking ??= ask(person).finally(() => (asking = null));
    const user = await asking;
    if (!user) return false;
    const same = !person || person.id === user.id;
    if (!same) {
      // What was asked, and what was typed, was another person's.
      signedOut();
      signedIn(user);
      location.assign("/");
      return false;
    }
    signedIn(user);
    return true;
  });
}
