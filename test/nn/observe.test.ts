import { expect, test } from "vitest";
import * as nn from "../../src/nn/index.ts";
import { ModuleObserver } from "../../src/nn/observe.ts";
import { compile } from "../../src/program/compiled.ts";
import { manualSeed } from "../../src/rng/stream.ts";
import { ones } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";

class Twice extends nn.Module {
  readonly layer = nn.linear(3, 3);
  override forward(x: Tensor): Tensor {
    return this.layer.forward(this.layer.forward(x));
  }
}

test("calls in the order in which they end, a second one of a module numbered; each trace its own", async () => {
  manualSeed(1);
  const model = nn.sequential(new Twice(), nn.relu());
  const observer = new ModuleObserver(model);
  const seen: ReturnType<ModuleObserver["take"]>[] = [];
  const forward = (x: Tensor) => model.forward(x) as Tensor;
  const watching = compile(
    (x: Tensor) => {
      const y = forward(x);
      seen.push(observer.take());
      return y;
    },
    { state: model },
  );
  // Traced and not asked about, and run without a trace: neither is seen later.
  await compile(forward, { state: model })(ones([2, 3]));
  await forward(ones([2, 3])).data();
  // A first call is traced twice.
  await watching(ones([2, 3]));
  expect(seen.map((calls) => calls.map(({ path }) => path))).toEqual([
    ["0.layer", "0.layer#1", "0", "1", "model"],
    ["0.layer", "0.layer#1", "0", "1", "model"],
  ]);
  expect(seen[0][0].outputs[0].shape).toEqual([2, 3]);
  expect(Object.keys(model)).not.toContain("forward");
});
