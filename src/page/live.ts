// What is seen of a training while it runs: progress, numbers, curves, samples.
import { formatNumber } from "../report/html.ts";
import { renderSample } from "../report/samples.ts";
import type { TrainingProgress, WorkerTraining } from "../worker/index.ts";
import { Curves } from "./curves.ts";
import { made, part } from "./parts.ts";

const loss = new Curves(part("loss-chart"), "Loss");
const metric = new Curves(part("metric-chart"), "Metric");
const groups = new Intl.NumberFormat("en");

/** The part of the training that was last read out, in tenths. */
let readOut = 0;

function showProgress({
  step,
  totalSteps,
  epoch,
  loss: value,
  learningRate,
  stepSeconds,
  draws,
}: TrainingProgress): void {
  const bar = part<HTMLProgressElement>("progress");
  bar.max = totalSteps;
  bar.value = step;
  part("step").textContent = `${groups.format(step)} of ${groups.format(totalSteps)}`;
  part("epoch").textContent = String(epoch + 1);
  part("loss").textContent = formatNumber(value);
  part("rate").textContent = formatNumber(learningRate);
  part("time").textContent = `${formatNumber(1000 * stepSeconds)} ms`;
  part("draws").textContent = groups.format(draws);
  loss.add("training", step, value);
  const tenths = Math.floor((10 * step) / totalSteps);
  if (tenths === readOut) return;
  readOut = tenths;
  part("told").textContent = `${10 * tenths} percent of the steps, loss ${formatNumber(value)}`;
}

/** Clears what an earlier training left. */
export function clearLive(): void {
  loss.clear();
  metric.clear();
  part("metric-figure").hidden = false;
  part("samples").replaceChildren();
  part("warnings").replaceChildren();
  part("told").textContent = "";
  readOut = 0;
  part<HTMLProgressElement>("progress").value = 0;
  for (const id of ["step", "epoch", "loss", "rate", "time", "draws"]) part(id).textContent = "–";
}

/** Shows a training as it goes on. */
export function showLive(training: WorkerTraining): void {
  let metricName: string | undefined;
  training.on("progress", showProgress);
  training.on("metrics", ({ step, values }) => {
    metricName ??= Object.keys(values)
      .find((name) => name.startsWith("val_") && name !== "val_loss")
      ?.slice(4);
    for (const [name, value] of Object.entries(values)) {
      if (name === "val_loss") loss.add("validation", step, value);
      if (metricName === undefined) continue;
      if (name === metricName) metric.add("training", step, value);
      if (name === `val_${metricName}`) metric.add("validation", step, value);
    }
    if (metricName !== undefined) part("metric-title").textContent = metricName.replaceAll("_", " ");
    else if ("val_loss" in values) part("metric-figure").hidden = true;
  });
  training.on("message", ({ level, text }) => {
    if (level === "warn" || level === "error") part("warnings").append(made("p", text));
  });
  training.on("sample", ({ name, step, sample }) => {
    const figure = document.createElement("div");
    figure.dataset.name = name;
    figure.innerHTML = renderSample(name, step, sample).html;
    const before = Array.from(part("samples").children).find((other) => (other as HTMLElement).dataset.name === name);
    if (before) before.replaceWith(figure);
    else part("samples").append(figure);
  });
}
