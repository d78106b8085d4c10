// Reads a page that comes in lines: what there is at once, then JSON Patches (RFC 6902) as its parts come.

export const LINES = "application/x-ndjson";

/**
 * Reads an answer of that type; `changed(page, pending)` is called with each line, always with the same page, which
 * grows. Resolves to `{page, complete, problem}`; one that was cut on the way is not complete and has no problem.
 */
export async function readLines(response, changed) {
  let page = null;
  for await (const line of linesOf(response.body)) {
    if (line.complete || line.problem) return { page, complete: Boolean(line.complete), problem: line.problem ?? null };
    page = "page" in line ? line.page : line.patch.reduce(patched, page);
    changed(page, line.pending);
  }
  return { page, complete: false, problem: null };
}

async function* linesOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) yield JSON.parse(line);
  }
}

function patched(page, { op, path, value }) {
  const [, ...keys] = path.split("/").map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (keys.length === 0) return value;
  const last = keys.pop();
  const place = keys.reduce((at, key) => at[key], page);
  if (Array.isArray(place) && op === "add") place.splice(Number(last), 0, value);
  else if (Array.isArray(place) && op === "remove") place.splice(Number(last), 1);
  else if (op === "remove") delete place[last];
  else place[last] = value;
  return page;
}
