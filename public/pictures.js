// Who has a picture: what any page has said last.

const files = new Map();
const broken = new Set();

/** Notes the file of a person's picture, null for none. */
export function notePicture(id, file) {
  files.set(id, file ?? null);
}

/** Where a person's picture is; null where there is none. */
export function pictureOf(person) {
  if ("picture" in person) notePicture(person.id, person.picture);
  const file = files.get(person.id);
  if (!file) return null;
  const path = `/api/people/${encodeURIComponent(person.id)}/picture/${encodeURIComponent(file)}`;
  return broken.has(path) ? null : path;
}

/** A picture that did not come is not asked for again. */
export const leaveOut = (path) => broken.add(path);
