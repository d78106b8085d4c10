// Everything that this page asks the layer. No other file fetches.

const PATIENCE_MS = 15_000;

/** What went wrong, as the layer said it (RFC 9457), or `offline` and `slow` when it said nothing. */
export class Problem extends Error {
  constructor(kind, { status = 0, detail = "", errors = [] } = {}) {
    super(detail || kind);
    this.kind = kind;
    this.status = status;
    this.detail = detail;
    this.errors = errors;
  }
}

/** The home page's data; `query` holds status, q, sort and page. */
export function home(query, signal) {
  const wanted = new URLSearchParams(query);
  return ask(`/api/home?${wanted}`, { signal });
}

/** The todo that was added; `todo` holds title, note and due. */
export function addTodo(todo) {
  return ask("/api/todos", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(todo),
  });
}

async function ask(path, { signal, ...options }) {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  let response;
  let body;
  try {
    response = await fetch(path, {
      ...options,
      headers: { Accept: "application/json", ...options.headers },
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
    });
    body = await response.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    if (patience.aborted) throw new Problem("slow");
    throw new Problem(response ? "unreadable" : "offline", { status: response?.status });
  }
  if (!response.ok) {
    throw new Problem(String(body?.type ?? "").split(":").pop() || "unreadable", body ?? {});
  }
  return body;
}
