// Words for problems and statuses. The layer's problem types are stable; what they are called here is ours.

export const STATUSES = { all: "All", open: "Open", done: "Done", paused: "Paused", closed: "Closed" };

const PROBLEMS = {
  offline: "The server cannot be reached. Check your connection and try again.",
  slow: "The server takes too long to answer. Try again in a moment.",
  unreadable: "The server gave an answer that cannot be read. Try again in a moment.",
  "backend-failed": "The todo service is not working right now. Try again in a moment.",
  "backend-timeout": "The todo service takes too long to answer. Try again in a moment.",
  "backend-unavailable": "The todo service is very busy. Try again in a moment.",
  "too-many-requests": "That was a little fast. Wait a moment and try again.",
  "invalid-input": "Some of what was entered does not fit.",
  unprocessable: "The todo service does not accept this.",
  "body-too-large": "That is too long to be saved.",
  "not-found": "This does not exist (any more).",
};

const FIELDS = { title: "title", due: "due date", note: "note", q: "search" };

/** One sentence for people about a problem. */
export function problemText(problem) {
  const sentence = PROBLEMS[problem.kind] ?? "Something went wrong on our side. Try again in a moment.";
  const fields = problem.errors
    .map((error) => FIELDS[String(error.pointer ?? "").split("/").pop()])
    .filter(Boolean);
  return fields.length ? `${sentence} Please check: ${[...new Set(fields)].join(", ")}.` : sentence;
}

const PARTS = {
  people: "The names of people are missing right now.",
  notice: "The latest notice is missing right now.",
};

/** What is said in place of a part of the page that did not come. */
export function missingText(step) {
  return PARTS[step] ?? "A part of this page is missing right now.";
}
