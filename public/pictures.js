// Who has a picture: what any page has said last.

const files = new Map();
const there = new Set();
const broken = new Set();

/** What people had before it was changed here: pages that were read before still say so. */
const before = new Map();

/** Notes that a person's picture is another now, null for none. */
export function changePicture(id, file) {
  const old = before.get(id) ?? new Set();
  old.add(files.get(id) ?? null).delete(file);
  before.set(id, old);
  files.set(id, file);
}

/** Where a person's picture is; null where there is none. */
export function pictureOf({ id, picture }) {
  if (picture !== undefined && !before.get(id)?.has(picture)) files.set(id, picture);
  const file = files.get(id);
  if (!file) return null;
  const path = `/api/people/${encodeURIComponent(id)}/picture/${encodeURIComponent(file)}`;
  return broken.has(path) ? null : path;
}

/** A picture that has come once is shown at once from then on. */
export const isThere = (path) => there.has(path);
export const noteThere = (path) => there.add(path);

/** A picture that did not come is not asked for again. */
export const leaveOut = (path) => broken.add(path);
