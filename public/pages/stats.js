// How the team is doing.

import * as api from "../api.js";
import { fill, h } from "../dom.js";
import { number, t } from "../i18n.js";
import { daysChart, daysTable, shareBar } from "../parts/chart.js";
import { personChip } from "../parts/person.js";
import { failedBox, missingBox, missingParts, oldNote } from "../problems.js";
import { restoreScroll } from "../router.js";
import { learnMe } from "../session.js";
import { todoEvents } from "../todos.js";

const STATUSES = ["open", "paused", "done", "closed"];

export const statsPage = {
  open(root, { signal }) {
    const heading = h("h1", { tabindex: "-1" }, t("stats"));
    const body = h("div", { class: "stats", "aria-busy": "true" }, bones());
    fill(root, h("div", { class: "page" }, h("header", { class: "page-head" }, h("p", { class: "eyebrow" }, t("stats.more")), heading), body));

    const narrow = matchMedia("(max-width: 719px)");
    let answer = null;
    const draw = () => {
      if (!answer) return;
      // The bars grow once, when they are first seen.
      body.classList.toggle("is-still", body.querySelector(".chart") !== null);
      fill(body, parts(answer, narrow.matches, load));
    };
    narrow.addEventListener("change", draw, { signal });

    async function load() {
      try {
        const [found] = await Promise.all([api.stats(signal), learnMe(signal).catch(() => {})]);
        if (signal.aborted) return;
        answer = found;
        draw();
        restoreScroll();
      } catch (error) {
        if (signal.aborted) return;
        fill(body, failedBox(error, load));
      }
      body.removeAttribute("aria-busy");
    }
    todoEvents.addEventListener("shown", load, { signal });
    load();
    return {};
  },
};

function parts(found, isNarrow, retry) {
  const missing = missingParts(found);
  const part = (name, title, build) =>
    h(
      "section",
      { class: ["card", "stats-card", `stats-${name}`], "aria-label": title, "data-testid": `stats-${name}` },
      h("h2", {}, title),
      !found[name] || missing.some(name) ? missingBox(title, retry) : build(found[name]),
    );
  return [
    oldNote(found),
    part("statuses", t("stats.statuses"), tiles),
    part("days", t("chart.days"), (days) => h("div", {}, h("div", { class: "chart-box" }, daysChart(days, isNarrow)), daysTable(days))),
    part("people", t("stats.people"), peopleTable),
  ];
}

function tiles(statuses) {
  const tile = (status) =>
    h(
      "div",
      { class: ["tile", `dot-${status}`] },
      h("dt", {}, h("span", { class: "dot", "aria-hidden": "true" }), t(`status.${status}`)),
      h("dd", {}, number(statuses[status] ?? 0)),
    );
  return h("dl", { class: "tiles" }, STATUSES.map(tile));
}

function peopleTable(people) {
  if (people.length === 0) return h("p", { class: "muted" }, t("stats.nobody"));
  const most = Math.max(...people.map(({ total }) => total));
  const column = (status) => h("th", { scope: "col", class: ["n", `dot-${status}`] }, h("span", { class: "dot", "aria-hidden": "true" }), h("span", { class: "column-name" }, t(`status.${status}`)));
  const rows = people.toSorted((a, b) => b.total - a.total).map((person) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, personChip(person)),
      h("td", { class: "share-cell" }, shareBar(STATUSES.map((status) => [status, person[status]]), person.total, most)),
      STATUSES.map((status) => h("td", { class: ["n", person[status] === 0 && "is-zero"] }, number(person[status]))),
      h("td", { class: "n total" }, number(person.total)),
    ),
  );
  return h(
    "div",
    { class: "table-box", tabindex: "0", role: "region", "aria-label": t("stats.people") },
    h(
      "table",
      { class: "people-table" },
      h("caption", { class: "unseen" }, t("stats.people")),
      h(
        "thead",
        {},
        h("tr", {}, h("th", { scope: "col" }, t("person")), h("td", { class: "share-cell" }), STATUSES.map(column), h("th", { scope: "col", class: "n" }, t("total"))),
      ),
      h("tbody", {}, rows),
    ),
  );
}

const bones = () => ["statuses", "days", "people"].map((name) => h("div", { class: ["card", "bone", `bone-${name}`], "aria-hidden": "true" }));
