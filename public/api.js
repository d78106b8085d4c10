// Everything that this app asks the layer. No other file fetches.

import { LINES, readLines } from "./progressive.js";

const PATIENCE_MS = 20_000;
const UPLOAD_PATIENCE_MS = 65_000;

/** What went wrong, as the layer said it (RFC 9457); `offline`, `slow` and `unreadable` when it said nothing. */
export class Problem extends Error {
  constructor(kind, { status = 0, detail = "", step = "", errors = [] } = {}) {
    super(detail || kind);
    this.kind = kind;
    this.status = status;
    this.detail = detail;
    this.step = step;
    this.errors = errors;
  }
}

let signInAgain = async () => false;

/** `ask` is called when the session has ended; once it resolves to true, the request is sent again. */
export function whenSignedOut(ask) {
  signInAgain = ask;
}

export const signup = (account) => send("POST", "/api/signup", { body: account, asks: false });
export const login = (account) => send("POST", "/api/login", { body: account, asks: false });
export const logout = () => send("POST", "/api/logout", { asks: false });

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
  if (ids.length > 1) return send("POST", "/api/todos/remove", { body: { ids } });
  try {
    await send("DELETE", todoPath(ids[0]));
    return { removed: ids, kept: [] };
  } catch (problem) {
    if (!(problem instanceof Problem) || problem.status < 400 || problem.status >= 500) throw problem;
    return { removed: [], kept: [{ id: ids[0], status: problem.status, kind: problem.kind }] };
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

async function send(method, path, { body, form, sent, signal, key, changed, asks = true, keepalive = false } = {}) {
  const answer = form ? upload(method, path, form, sent) : answerOf(method, path, { body, signal, key, keepalive, changed });
  const response = await answer;
  if (response.ok) return response.body;
  const problem = new Problem(kindOf(response.body, response.status), { ...response.body, status: response.status });
  const ended = asks && problem.status === 401;
  if (ended && (await signInAgain()) && !signal?.aborted) {
    return send(method, path, { body, form, sent, signal, key, changed, asks: false });
  }
  throw problem;
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
    const text = await response.text();
    return { ok: response.ok, status: response.status, body: text ? JSON.parse(text) : null };
  } catch (error) {
    if (signal?.aborted) throw error;
    if (patience.aborted) throw new Problem("slow");
    // An answer that was cut in the middle of its lines may come whole.
    if (isInLines(response)) return answerOf(method, path, { signal });
    throw new Problem(response ? unreadable(response.status) : "offline", { status: response?.status });
  }
}

/** Sends a form with a file; `sent` is told the share that is on its way, which `fetch` would not tell. */
function upload(method, path, form, sent) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const fail = (kind) => reject(new Problem(kind, { status: request.status }));
    request.open(method, path);
    request.setRequestHeader("Accept", "application/json");
    request.timeout = UPLOAD_PATIENCE_MS;
    request.upload.addEventListener("progress", (event) => sent(event.total ? event.loaded / event.total : 0));
    request.addEventListener("error", () => fail("offline"));
    request.addEventListener("timeout", () => fail("slow"));
    request.addEventListener("load", () => {
      try {
        const body = request.responseText ? JSON.parse(request.responseText) : null;
        resolve({ ok: request.status >= 200 && request.status < 300, status: request.status, body });
      } catch {
        fail(unreadable(request.status));
      }
    });
    request.send(form);
  });
}

const isInLines = (response) => response?.headers.get("Content-Type")?.startsWith(LINES);

async function inLines(response, changed) {
  const { page, complete, problem } = await readLines(response, changed);
  if (!complete && !problem) throw new TypeError("cut");
  return { ok: complete, status: problem?.status ?? response.status, body: problem ?? page };
}

// What a proxy in front of the layer answers, with a body of its own.
const SAID_BY_PROXIES = { 413: "body-too-large", 429: "too-many-requests", 503: "busy", 504: "slow" };
const unreadable = (status) => SAID_BY_PROXIES[status] ?? "unreadable";

function kindOf(body, status) {
  const type = typeof body?.type === "string" ? body.type : "";
  return type.startsWith("urn:bff:problem:") ? type.slice("urn:bff:problem:".length) : unreadable(status);
}
