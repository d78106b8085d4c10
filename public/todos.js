// What can be done with todos, from any page. What changes is told to whoever shows it.

import * as api from "./api.js";
import { short, t } from "./i18n.js";
import { announce, tellFailure, toast } from "./parts/toasts.js";
import { openDialog } from "./parts/dialog.js";
import { asFields, todoForm } from "./parts/todo-form.js";
import { me } from "./session.js";
import { tab } from "./storage.js";

const UNDO_MS = 6000;

/** Tells `changed` {todo}, and `shown` when other todos than before are to be seen. */
export const todoEvents = new EventTarget();
const tell = (type, detail = {}) => todoEvents.dispatchEvent(new CustomEvent(type, { detail }));

/** Todos that are gone for the eye, while their removal can still be undone or is on its way. */
const leaving = new Map();
const batches = new Set();
/** Removed for good; still in `leaving` until an answer that counts without them. */
const gone = new Set();

export const isLeaving = (id) => leaving.has(id) || gone.has(id);
export const leavingTodos = () => [...leaving.values()];

/** Shows the new status at once, and takes it back when the layer refuses. */
export async function setStatus(todo, status, { undoable = true } = {}) {
  const finished = status === "done" ? new Date().toISOString() : null;
  tell("changed", { todo: { ...todo, status, finished } });
  try {
    const saved = { ...todo, ...(await api.editTodo(todo.id, { status })) };
    tell("changed", { todo: saved });
    tell("shown");
    const undo = { label: t("undo"), run: () => setStatus(saved, todo.status, { undoable: false }) };
    const words = t(`became.${status}`, { title: short(todo.title) });
    if (undoable) toast(words, { tone: "good", action: undo });
    else announce(words);
  } catch (error) {
    tell("changed", { todo });
    lookAgain(error);
    tellFailure(t("status.failed", { title: short(todo.title) }), error, () => setStatus(todo, status, { undoable }));
  }
}

/** Shows what the layer has now, where nobody knows whether something was done. */
function lookAgain(error) {
  if (error.maybe) tell("shown");
}

/** Sets the status of many, side by side, and tells of those that refuse. */
export async function setStatusOfMany(todos, status) {
  const answers = await Promise.allSettled(todos.map(({ id }) => api.editTodo(id, { status })));
  tell("shown");
  const failed = answers.filter((answer) => answer.status === "rejected");
  const n = todos.length - failed.length;
  if (n > 0) toast(t("became.many", { n }), { tone: "good" });
  if (failed.length === 0) return;
  const refused = todos.filter((_, at) => answers[at].status === "rejected");
  tellFailure(t("status.failed.many", { n: failed.length }), failed[0].reason, () => setStatusOfMany(refused, status));
}

/** Takes todos away at once; the request is sent when the moment for undoing has passed. */
export function remove(todos) {
  const batch = { todos, sent: false };
  batches.add(batch);
  for (const todo of todos) leaving.set(todo.id, todo);
  tell("shown");
  const text = todos.length === 1 ? t("removed", { title: short(todos[0].title) }) : t("removed.many", { n: todos.length });
  const undo = { label: t("undo"), run: () => keep(batch) };
  toast(text, { action: undo, lasts: UNDO_MS, ended: () => send(batch) });
}

function keep(batch) {
  batches.delete(batch);
  for (const { id } of batch.todos) leaving.delete(id);
  tell("shown");
  announce(t("kept", { n: batch.todos.length }));
}

async function send(batch) {
  if (batch.sent) return;
  batch.sent = true;
  try {
    const { kept } = await api.removeTodos(batch.todos.map(({ id }) => id));
    // What another removed first is gone all the same.
    const refused = kept.filter(({ status }) => status !== 404);
    for (const { id } of batch.todos) if (!refused.some((one) => one.id === id)) gone.add(id);
    finish(batch);
    if (refused.length > 0) {
      const problem = new api.Problem(refused[0].kind, refused[0]);
      tellFailure(t("remove.refused", { n: refused.length }), problem);
    }
  } catch (error) {
    finish(batch);
    tellFailure(t("remove.failed", { n: batch.todos.length }), error, () => remove(batch.todos));
  }
}

function finish(batch) {
  batches.delete(batch);
  for (const { id } of batch.todos) if (!gone.has(id)) leaving.delete(id);
  tell("shown");
}

/** An answer that was asked for after the last removal counts without what is gone. */
export function countedWithoutGone() {
  for (const id of gone) leaving.delete(id);
}

/** Sends what still waits, because the page is being left. */
export function removeOnLeaving() {
  const waiting = [...batches].filter(({ sent }) => !sent);
  const ids = waiting.flatMap((batch) => batch.todos.map(({ id }) => id));
  if (ids.length === 0) return;
  for (const batch of waiting) batch.sent = true;
  tab.set("left", ids);
  api.removeTodosOnLeaving(ids).catch(() => {});
}

/** Sends again what was sent on leaving, so that a reload neither outruns that request nor loses it. */
export async function finishLeaving() {
  const ids = tab.get("left");
  tab.drop("left");
  if (ids) await api.removeTodosOnLeaving(ids).catch(() => {});
}

/** Edits in a dialog; sends only what differs. Resolves to the todo as it is then, or to null. */
export async function edit(todo) {
  const initial = { title: todo.title, note: todo.note, due: todo.due ?? "", helper: todo.helper };
  const before = asFields(initial);
  const { closed } = openDialog({
    title: t("edit"),
    class: "wide-dialog",
    testid: "edit-dialog",
    build: (close) =>
      todoForm({
        draftKey: `edit:${todo.id}`,
        initial,
        submit: t("save"),
        cancel: () => close(null),
        save: async (values, key) => {
          const after = asFields(values);
          const changed = Object.fromEntries(Object.entries(after).filter(([key, value]) => value !== before[key]));
          if (Object.keys(changed).length === 0) return close(null);
          const saved = await api.editTodo(todo.id, changed, key).catch(toldAgain);
          const { helper, helper_id } = "helper" in changed ? { helper: values.helper, helper_id: values.helper?.id ?? null } : todo;
          close({ ...todo, ...saved, helper, helper_id });
        },
      }).element,
  });
  const saved = await closed;
  if (!saved) return null;
  tell("changed", { todo: saved });
  tell("shown");
  toast(t("saved", { title: short(saved.title) }), { tone: "good", lasts: 3000 });
  return saved;
}

/** For forms, which show the error themselves. */
function toldAgain(error) {
  lookAgain(error);
  throw error;
}

/** Adds one and tells of it. */
export async function add(values, key) {
  const todo = await api.addTodo(asFields(values), key).catch(toldAgain);
  tell("shown");
  return todo;
}

/** What a todo's menu offers; `more` come first. */
export function menuItems(todo, more = []) {
  const removal = { icon: "trash", label: t("remove"), tone: "bad", run: () => remove([todo]) };
  return [
    ...more,
    { icon: "edit", label: t("edit"), run: () => edit(todo) },
    ...statusItems(todo),
    ...(mayRemove(todo) ? [removal] : []),
  ];
}

/** The statuses that a todo may have next. */
export function statusItems(todo) {
  const become = (status, icon) => ({ icon, label: t(`become.${status}`), run: () => setStatus(todo, status) });
  const changes = {
    open: [become("done", "check"), become("paused", "pause"), become("closed", "archive")],
    done: [become("open", "undo"), become("closed", "archive")],
    paused: [become("open", "play"), become("done", "check"), become("closed", "archive")],
    closed: [become("open", "undo")],
  };
  return changes[todo.status];
}

/** Whether removing is offered: a helper may change a todo, but only its owner removes it. */
export function mayRemove(todo) {
  const isOthers = todo.owner && me() && todo.owner.id !== me().id;
  return !isOthers;
}
