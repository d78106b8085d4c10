// Everything that this app asks the layer. No other file fetches.

import { LINES, readLines } from "./progressive.js";

const PATIENCE_MS = 20_000;
const UPLOAD_PATIENCE_MS = 65_000;

/**
 * What went wrong, as the layer said it (RFC 9457); `offline`, `slow` and `unreadable` when it said nothing. `wait` is
 * in how many seconds to come back, if known; `maybe` what may have happened all the same: "saved", "deleted" or null.
 */
export class Problem extends Error {
  constructor(kind, { status = 0, detail = "", step = "", errors = [], wait = null, maybe = null } = {}) {
    super(detail || kind);
    this.kind = kind;
    this.status = status;
    this.detail = detail;
    this.step = step;
    this.errors = errors;
    this.wait = wait;
    this.maybe = maybe;
  }
}

let signInAgain = async () => false;

/** `ask` is called when the session has ended; once it resolves to true, the request is sent again. */
export function whenSignedOut(ask) {
  signInAgain = ask;
}

export const signup = (account) => send("POST", "/api/signup", { body: account, asks: false });
export const login = (account) => send("POST", "/api/login", { body: account, asks: false, does: null });
export const logout = () => send("POST", "/api/logout", { asks: false, does: null });

/** `changed(page, pending)` is called as soon as there is something to show, and again as each part of it comes. */
export const home = (query, signal, changed) => send("GET", `/api/home?${new URLSearchParams(query)}`, { signal, changed });
// A day is the visitor's own: in China it begins eight hours before one in UTC.
const zone = () => new URLSearchParams({ zone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC" });
export const stats = (signal) => send("GET", `/api/stats?${zone()}`, { signal });
export const people = (q, signal) => send("GET", `/api/people?${new URLSearchParams({ q })}`, { signal });
export const notices = (signal) => send("GET", "/api/notices", { signal });

export const todo = (id, signal) => send("GET", todoPath(id), { signal });
// What is sent twice with one `key` is done once.
export const addTodo = (fields, key) => send("POST", "/api/todos", { body: fields, key });
export const editTodo = (id, fields, key) => send("PATCH", todoPath(id), { body: fields, key });
export const addComment = (id, text, key) => send("POST", `${todoPath(id)}/comments`, { body: { text }, key });

/** Removes todos; answers which went and which were kept, and why. */
export async function removeTodos(ids) {
  if (ids.length > 1) return send("POST", "/api/todos/remove", { body: { ids }, does: "deleted" });
  try {
    await send("DELETE", todoPath(ids[0]));
    return { removed: ids, kept: [] };
  } catch (problem) {
    if (!(problem instanceof Problem) || problem.status < 400 || problem.status >= 500) throw problem;
    return { removed: [], kept: [{ id: ids[0], status: problem.status, kind: problem.kind, step: problem.step }] };
  }
}

/** Removes todos while the page is being left: the browser sends it even after the page is gone. */
export function removeTodosOnLeaving(ids) {
  return send("POST", "/api/todos/remove", { body: { ids }, asks: false, keepalive: true });
}

/** Sends the visitor's picture in the place of the one they have, or as their first; gives its file's name. */
export async function savePicture(person, file, hasOne, sent) {
  try {
    return await sendPicture(person, file, hasOne, sent);
  } catch (problem) {
    if (problem.status !== (hasOne ? 404 : 422)) throw problem;
    // It was removed or added elsewhere meanwhile; or the file itself is what is wrong, as then the other way shows.
    return sendPicture(person, file, !hasOne, sent).catch((again) => {
      throw again.status === 404 ? problem : again;
    });
  }
}

async function sendPicture(person, file, hasOne, sent) {
  const form = new FormData();
  // A first one is named after the person; the backend takes no other name, and no other person.
  if (!hasOne) for (const name of ["id", "person"]) form.append(name, person.id);
  form.append("file", file, "picture");
  return (await send(hasOne ? "PUT" : "POST", "/api/picture", { form, sent })).file;
}

export const removePicture = () => send("DELETE", "/api/picture");

const todoPath = (id) => `/api/todos/${encodeURIComponent(id)}`;

const DOES = { POST: "saved", PUT: "saved", PATCH: "saved", DELETE: "deleted" };

async function send(method, path, request = {}) {
  const { form, sent, signal, asks = true, does = DOES[method] ?? null } = request;
  try {
    return await (form ? upload(method, path, form, sent) : answerOf(method, path, request));
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    const ended = asks && problem.status === 401;
    if (ended && (await signInAgain()) && !signal?.aborted) return send(method, path, { ...request, asks: false });
    problem.maybe &&= does;
    throw problem;
  }
}

async function answerOf(method, path, { body, signal, key, keepalive, changed }) {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const headers = { Accept: changed ? `${LINES}, application/json;q=0.9` : "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key !== undefined) headers["Idempotency-Key"] = key;
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      keepalive,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
    });
    if (isInLines(response)) return await inLines(response, changed);
    return read(await response.text(), response.status, response.headers.get("Retry-After"));
  } catch (error) {
    if (signal?.aborted || error instanceof Problem) throw error;
    if (patience.aborted) throw new Problem("slow", { maybe: true });
    // An answer that was cut in the middle of its lines may come whole.
    if (isInLines(response)) return answerOf(method, path, { signal });
    throw response ? unreadable(response.status) : offline();
  }
}

/** Sends a form with a file; `sent` is told the share that is on its way, which `fetch` would not tell. */
function upload(method, path, form, sent) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, path);
    request.setRequestHeader("Accept", "application/json");
    request.timeout = UPLOAD_PATIENCE_MS;
    request.upload.addEventListener("progress", (event) => sent(event.total ? event.loaded / event.total : 0));
    request.addEventListener("error", () => reject(offline()));
    request.addEventListener("timeout", () => reject(new Problem("slow", { maybe: true })));
    request.addEventListener("load", () => {
      try {
        resolve(read(request.responseText, request.status, request.getResponseHeader("Retry-After")));
      } catch (problem) {
        reject(problem);
      }
    });
    request.send(form);
  });
}

const isInLines = (response) => response?.headers.get("Content-Type")?.startsWith(LINES);

async function inLines(response, changed) {
  const { page, complete, problem } = await readLines(response, changed);
  if (!complete && !problem) throw new TypeError("cut");
  if (problem) throw problemOf(problem, problem.status);
  return page;
}

/** The decoded body of an answer; throws what it says of a problem. */
function read(text, status, retryAfter) {
  const isGood = status >= 200 && status < 300;
  let body = null;
  try {
    if (text) body = JSON.parse(text);
  } catch {
    throw unreadable(status, retryAfter);
  }
  if (!isGood) throw problemOf(body, status, retryAfter);
  return body;
}

const TYPE = "urn:bff:problem:";

function problemOf(body, status, retryAfter) {
  if (typeof body?.type !== "string" || !body.type.startsWith(TYPE)) return unreadable(status, retryAfter);
  const maybe = Boolean(body.done?.length || body.unknown?.length);
  return new Problem(body.type.slice(TYPE.length), { ...body, status, wait: secondsOf(retryAfter), maybe });
}

// What a proxy in front of the layer answers, with a body of its own.
const SAID_BY_PROXIES = { 413: "body-too-large", 429: "too-many-requests", 503: "busy", 504: "slow" };

function unreadable(status, retryAfter) {
  // Below 500 it was refused, and so it was where the layer was not even asked.
  const maybe = (status >= 500 && status !== 503) || status < 400;
  return new Problem(SAID_BY_PROXIES[status] ?? "unreadable", { status, wait: secondsOf(retryAfter), maybe });
}

/** Nobody can tell a connection that broke under way from a server that is away; without a network nothing went out. */
const offline = () => new Problem("offline", { maybe: navigator.onLine });

/** `Retry-After` in whole seconds; it may be a date. */
function secondsOf(retryAfter) {
  if (!retryAfter) return null;
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : Math.ceil((Date.parse(retryAfter) - Date.now()) / 1000);
  return seconds > 0 ? seconds : null;
}
