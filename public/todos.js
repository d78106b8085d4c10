// What can be done with todos, from any page. What changes is told to whoever shows it.

import * as api from "./api.js";
import { t } from "./i18n.js";
import { announce, toast } from "./parts/toasts.js";
import { openDialog } from "./parts/dialog.js";
import { asFields, todoForm } from "./parts/todo-form.js";
import { wordsOf } from "./problems.js";
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
    if (undoable) toast(t(`became.${status}`, { title: todo.title }), { tone: "good", action: undo });
    else announce(t(`became.${status}`, { title: todo.title }));
  } catch (error) {
    tell("changed", { todo });
    const retry = { label: t("retry"), run: () => setStatus(todo, status, { undoable }) };
    toast(`${t("status.failed", { title: todo.title })} ${wordsOf(error)}`, { tone: "bad", lasts: null, action: retry });
  }
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
  const retry = { label: t("retry"), run: () => setStatusOfMany(refused, status) };
  const words = `${t("status.failed.many", { n: failed.length })} ${wordsOf(failed[0].reason)}`;
  toast(words, { tone: "bad", lasts: null, action: retry });
}

/** Takes todos away at once; the request is sent when the moment for undoing has passed. */
export function remove(todos) {
  const batch = { todos, sent: false };
  batches.add(batch);
  for (const todo of todos) leaving.set(todo.id, todo);
  tell("shown");
  const text = todos.length === 1 ? t("removed", { title: todos[0].title }) : t("removed.many", { n: todos.length });
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
      const problem = new api.Problem(refused[0].kind, { status: refused[0].status });
      toast(`${t("remove.refused", { n: refused.length })} ${wordsOf(problem)}`, { tone: "bad", lasts: null });
    }
  } catch (error) {
    finish(batch);
    const retry = { label: t("retry"), run: () => remove(batch.todos) };
    toast(`${t("remove.failed", { n: batch.todos.length })} ${wordsOf(error)}`, { tone: "bad", lasts: null, action: retry });
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
          const saved = await api.editTodo(todo.id, changed, key);
          const { helper, helper_id } = "helper" in changed ? { helper: values.helper, helper_id: values.helper?.id ?? null } : todo;
          close({ ...todo, ...saved, helper, helper_id });
        },
      }).element,
  });
  const saved = await closed;
  if (!saved) return null;
  tell("changed", { todo: saved });
  tell("shown");
  toast(t("saved", { title: saved.title }), { tone: "good", lasts: 3000 });
  return saved;
}

/** Adds one and tells of it. */
export async function add(values, key) {
  const todo = await api.addTodo(asFields(values), key);
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
