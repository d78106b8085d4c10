// The keys of what forms send. Content that is sent again before anybody knows what became of it has the key that
// it had, so that it is done once; it is kept as a draft is, over a reload and for one person.

import { Problem } from "./api.js";
import { me } from "./session.js";
import { tab } from "./storage.js";

// Where the tab's storage is forbidden, this page still knows.
const pending = new Map();
const nameOf = (form) => `draft:${me()?.id ?? ""}:sent:${form}`;

/** Runs `send(key)`. */
export async function submit(form, content, send) {
  const name = nameOf(form);
  const text = JSON.stringify(content);
  const before = pending.get(name) ?? tab.get(name);
  const key = before?.text === text ? before.key : newKey();
  pending.set(name, { text, key });
  tab.set(name, { text, key });
  try {
    const answer = await send(key);
    forget(name);
    return answer;
  } catch (error) {
    if (isSettled(error)) forget(name);
    throw error;
  }
}

/** What is sent from this form next is something new, whatever it says. */
export const beginAnew = (form) => forget(nameOf(form));

function forget(name) {
  pending.delete(name);
  tab.drop(name);
}

/** Whether an error says that nothing was done, and that the same would be refused again. */
function isSettled(error) {
  if (!(error instanceof Problem) || error.kind === "repeat-running") return false;
  return error.status >= 400 && error.status < 500 && ![401, 408, 429].includes(error.status);
}

function newKey() {
  // Browsers give randomUUID to https and localhost only.
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
