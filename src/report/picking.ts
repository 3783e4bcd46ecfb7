// The script of the page of several runs, as it stands in the page: it sorts the table, shows the value under the pointer, and brings a run or a group out of the others. Without it the page is whole.
import { formatNumber } from "./html.ts";

/** The element that holds the values at the lines' points, by metric and run. */
export const pointsId = "points";

export const script = `
(() => {
  const format = ${formatNumber};
  const points = JSON.parse(document.getElementById("${pointsId}").textContent);
  const main = document.querySelector("main");
  const marked = [...document.querySelectorAll("[data-run]")].map((element) => [element, Number(element.dataset.run)]);
  const names = new Map([...document.querySelectorAll("tr[data-run]")].map((row) => [Number(row.dataset.run), row.querySelector("button").textContent]));

  // Runs that are brought out: those of the button that is pressed, and in its place those under the pointer or the focus.
  let pinned = [];
  const show = (runs) => {
    main.classList.toggle("picked", runs.length > 0);
    for (const [element, run] of marked) element.classList.toggle("on", runs.includes(run));
  };
  const runsOf = (element) => {
    const found = element?.closest?.("[data-runs], [data-run]");
    if (!found) return undefined;
    return found.dataset.runs === undefined ? [Number(found.dataset.run)] : JSON.parse(found.dataset.runs);
  };
  const over = (event) => show(runsOf(event.target) ?? pinned);
  main.addEventListener("pointerover", over);
  main.addEventListener("focusin", over);
  main.addEventListener("pointerleave", () => show(pinned));
  main.addEventListener("focusout", () => show(pinned));
  for (const button of document.querySelectorAll("button.pick")) {
    button.addEventListener("click", () => {
      const was = button.getAttribute("aria-pressed") === "true";
      for (const other of document.querySelectorAll("button.pick")) other.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-pressed", String(!was));
      pinned = was ? [] : runsOf(button);
      show(pinned);
    });
  }

  // Sorting: a heading's button turns the column's order; what has no value comes last either way.
  for (const table of document.querySelectorAll("table.sorts")) {
    const body = table.tBodies[0];
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      heading.querySelector("button").addEventListener("click", () => {
        const down = heading.getAttribute("aria-sort") === "ascending";
        for (const other of headings) other.removeAttribute("aria-sort");
        heading.setAttribute("aria-sort", down ? "descending" : "ascending");
        const key = (row) => row.cells[column].dataset.value;
        const numbers = [...body.rows].every((row) => key(row) === "" || Number.isFinite(Number(key(row))));
        const compare = (a, b) => numbers ? Number(a) - Number(b) : a < b ? -1 : Number(a > b);
        const rows = [...body.rows].sort((a, b) => {
          const [x, y] = [key(a), key(b)];
          if (x === "" || y === "") return Number(x === "") - Number(y === "");
          return down ? -compare(x, y) : compare(x, y);
        });
        body.append(...rows);
      });
    });
  }

  // Under the pointer: the nearest point of all lines.
  for (const chart of document.querySelectorAll(".overlaid")) {
    const svg = chart.querySelector("svg");
    const at = chart.querySelector(".at");
    const before = at.textContent;
    const cursor = chart.querySelector(".cursor");
    const own = points[chart.dataset.metric];
    const lines = [...chart.querySelectorAll("g[data-run]")].map((group) => {
      const run = Number(group.dataset.run);
      const places = (group.querySelector("path").getAttribute("d").match(/[ML][^ML]+/g) ?? []).map((place) => place.slice(1).split(" ").map(Number));
      return { run, places, points: own[run] };
    });
    const read = (event) => {
      const { left, top, width } = svg.getBoundingClientRect();
      const scale = svg.viewBox.baseVal.width / width;
      const [x, y] = [(event.clientX - left) * scale, (event.clientY - top) * scale];
      let best;
      for (const { run, places, points } of lines) {
        places.forEach(([px, py], i) => {
          const distance = (px - x) * (px - x) + (py - y) * (py - y);
          if (best === undefined || distance < best.distance) best = { distance, run, px, point: points[i] };
        });
      }
      if (best === undefined) return;
      cursor.setAttribute("x1", best.px);
      cursor.setAttribute("x2", best.px);
      cursor.style.visibility = "visible";
      at.textContent = names.get(best.run) + " · step " + best.point[0] + " · " + format(best.point[1]);
      show([best.run]);
    };
    svg.addEventListener("pointermove", read);
    svg.addEventListener("pointerdown", read);
    svg.addEventListener("pointerleave", () => {
      cursor.style.visibility = "hidden";
      at.textContent = before;
      show(pinned);
    });
  }
})();
`;
