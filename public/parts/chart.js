// Charts drawn as SVG. Each has its numbers as a table too.

import { h, svg, uniqueId } from "../dom.js";
import { dayOf, formatDay, number, t } from "../i18n.js";

const WIDE = 1040;
const NARROW = 340;
const HEIGHT = 230;
const LEFT = 26;
const TOP = 14;
const FLOOR = HEIGHT - 34;

/** Bars of how many were finished on each day, oldest first. */
export function daysChart(days, isNarrow) {
  // Drawn near its size on the screen, so that its texts have the size of other texts.
  const width = isNarrow ? NARROW : WIDE;
  const most = Math.max(...days.map(({ finished }) => finished), 0);
  const step = tickStep(most);
  const top = Math.max(step, Math.ceil(most / step) * step);
  const y = (n) => FLOOR - (n / top) * (FLOOR - TOP);
  const slot = (width - LEFT) / days.length;
  const title = uniqueId("chart");
  const total = days.reduce((sum, { finished }) => sum + finished, 0);
  const lines = Array.from({ length: top / step + 1 }, (_, at) => at * step);
  return svg(
    "svg",
    { class: "chart", viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-labelledby": title, "data-testid": "chart" },
    svg("title", { id: title }, t("chart.title", { n: total })),
    lines.map((n) => [
      svg("line", { class: "chart-line", x1: LEFT, x2: width, y1: y(n), y2: y(n) }),
      svg("text", { class: "chart-text", x: LEFT - 8, y: y(n) + 4, "text-anchor": "end" }, number(n)),
    ]),
    days.map(({ day, finished }, at) => bar({ day, finished, at, slot, y, isToday: at === days.length - 1 })),
  );
}

function bar({ day, finished, at, slot, y, isToday }) {
  const width = Math.min(36, slot * 0.62);
  const middle = LEFT + slot * (at + 0.5);
  const left = middle - width / 2;
  const date = dayOf(day);
  const height = FLOOR - y(finished);
  const round = Math.min(5, height);
  const shape = `M${left} ${FLOOR}v${-(height - round)}q0 ${-round} ${round} ${-round}h${width - 2 * round}q${round} 0 ${round} ${round}v${height - round}z`;
  return svg(
    "g",
    { class: ["chart-day", isToday && "is-today"] },
    svg("title", {}, `${formatDay(date, { dateStyle: "medium" })}: ${number(finished)}`),
    svg("rect", { class: "chart-hit", x: middle - slot / 2, y: TOP, width: slot, height: FLOOR - TOP }),
    finished > 0 ? svg("path", { class: "chart-bar", d: shape }) : svg("circle", { class: "chart-none", cx: middle, cy: FLOOR - 3, r: 2 }),
    finished > 0 && svg("text", { class: "chart-n", x: middle, y: y(finished) - 5, "text-anchor": "middle" }, number(finished)),
    svg("text", { class: "chart-text", x: middle, y: FLOOR + 16, "text-anchor": "middle" }, formatDay(date, { weekday: "narrow" })),
    svg("text", { class: "chart-text chart-date", x: middle, y: FLOOR + 30, "text-anchor": "middle" }, String(date.getDate())),
  );
}

/** A round step that gives two to five lines. */
function tickStep(most) {
  const rough = Math.max(1, most / 4);
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? 10 * power;
}

/** The numbers of the chart as a table, folded away. */
export function daysTable(days) {
  const rows = days.map(({ day, finished }) =>
    h("tr", {}, h("th", { scope: "row" }, formatDay(dayOf(day), { dateStyle: "medium" })), h("td", {}, number(finished))),
  );
  return h(
    "details",
    { class: "as-table" },
    h("summary", {}, t("as-table")),
    h(
      "table",
      { class: "numbers" },
      h("caption", { class: "unseen" }, t("chart.days")),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("day")), h("th", { scope: "col" }, t("finished.n")))),
      h("tbody", {}, rows),
    ),
  );
}

/** One line cut into the shares of the statuses; the table cell beside it holds the numbers. */
export function shareBar(parts, total, most) {
  let left = 0;
  const scale = 100 / Math.max(1, most);
  const pieces = parts.map(([status, n]) => {
    const piece = svg("rect", { class: `fill-${status}`, x: left * scale, y: 0, width: n * scale, height: 10 });
    left += n;
    return n > 0 && piece;
  });
  return svg("svg", { class: "share", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, pieces);
}
