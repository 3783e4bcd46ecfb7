// The script of a run's report, as it stands in the page: it shows values under the pointer. Without it the page is whole.
import { plotBox } from "./curves.ts";
import { formatNumber } from "./html.ts";

export const script = `
(() => {
  const { series } = JSON.parse(document.getElementById("series").textContent);
  const box = ${JSON.stringify(plotBox)};
  const format = ${formatNumber};
  const show = (value) => format(Number(value));
  /** The index of the step nearest to one. */
  const nearest = (steps, step) => {
    let low = 0, high = steps.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (steps[middle] < step) low = middle + 1; else high = middle;
    }
    return low > 0 && step - steps[low - 1] <= steps[low] - step ? low - 1 : low;
  };
  for (const chart of document.querySelectorAll(".chart[data-names]")) {
    const svg = chart.querySelector("svg");
    const cursor = chart.querySelector(".cursor");
    const at = chart.querySelector(".at");
    const values = [...chart.querySelectorAll(".key b")];
    const own = JSON.parse(chart.dataset.names).map((name) => series[name]);
    const from = Number(chart.dataset.from), to = Number(chart.dataset.to);
    const before = [at.textContent, ...values.map((value) => value.textContent)];
    const read = (event) => {
      const { left, width } = svg.getBoundingClientRect();
      const x = (event.clientX - left) / width * box.width;
      const part = Math.min(1, Math.max(0, (x - box.left) / (box.right - box.left)));
      const wanted = from + part * (to - from);
      const all = own[0].steps.length >= own.reduce((most, one) => Math.max(most, one.steps.length), 0) ? own[0]
        : own.reduce((most, one) => one.steps.length > most.steps.length ? one : most);
      const step = all.steps[nearest(all.steps, wanted)];
      const place = box.left + (to > from ? (step - from) / (to - from) : 0.5) * (box.right - box.left);
      cursor.setAttribute("x1", place);
      cursor.setAttribute("x2", place);
      cursor.style.visibility = "visible";
      at.textContent = "step " + step;
      own.forEach((one, i) => { values[i].textContent = show(one.values[nearest(one.steps, step)]); });
    };
    svg.addEventListener("pointermove", read);
    svg.addEventListener("pointerdown", read);
    svg.addEventListener("pointerleave", () => {
      cursor.style.visibility = "hidden";
      at.textContent = before[0];
      values.forEach((value, i) => { value.textContent = before[i + 1]; });
    });
  }
})();
`;
