// The metrics that a config may name: `metrics: [accuracy]`.
import { accuracy, type Metric } from "../../nn/metrics.ts";
import { Catalog } from "./values.ts";

export const metrics = new Catalog<Metric, void, "class">("class", "a metric: its name, or a map with one key").add(
  "accuracy",
  {},
  () => accuracy(),
);
