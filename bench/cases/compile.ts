// What a step costs before it runs: trace, plan and code from nothing, and the look-up of a plan that is known.

import { compileGraph } from "../../src/compile/cache.ts";
import { type Compiled, compile, type Plan, Stream, type Tensor, tensor } from "../../src/index.ts";
import { textBits } from "../bits.ts";
import type { Case } from "../harness.ts";
import type { Training } from "./models.ts";
import { gpt, lstm, mlpLarge, mlpSmall, stepOf } from "./training.ts";

/** From a function to a loaded plan. Each call takes another seed, so that nothing is found in the cache. */
function compiling(name: string, workload: Training, rounds: number): Case {
  return {
    name: `compile-${name}`,
    about: `trace, plan and code of the ${name} step, the compiler warm`,
    unit: "ms",
    rounds,
    calls: 1,
    warmup: 5,
    stateful: true,
    place: "backend",
    async prepare(backend) {
      let seed = 100n;
      let plan: Plan | undefined;
      return {
        time: async () => {
          const { step, batch } = stepOf(workload, backend, seed++);
          const start = performance.now();
          plan = await step.plan(...batch);
          const ms = performance.now() - start;
          // Gives its memory back; the cache never meets this seed again.
          (await compileGraph(backend, plan.graph)).executable.dispose();
          return ms;
        },
        bits: () => textBits(plan!.graphHash),
      };
    },
  };
}

/** A loaded plan by its graph. */
function hit(name: string, workload: Training): Case {
  return {
    name: `cache-hit-${name}`,
    about: `the ${name} step's plan found in the cache`,
    unit: "ms",
    rounds: 15,
    calls: 1000,
    warmup: 2000,
    place: "backend",
    async prepare(backend) {
      const { step, batch } = stepOf(workload, backend);
      const graph = await step.trace(...batch);
      return {
        run: () => compileGraph(backend, graph),
        bits: async () => textBits((await compileGraph(backend, graph)).executable.plan.graphHash),
      };
    },
  };
}

/** A compiled function that does next to nothing: what a call costs beside its work. */
const calling: Case = {
  name: "call",
  about: "a call of a compiled function of one element",
  unit: "ms",
  rounds: 15,
  calls: 400,
  warmup: 2000,
  small: true,
  place: "backend",
  async prepare(backend) {
    const x = tensor([1]);
    const double: Compiled<[Tensor], Tensor> = compile((t: Tensor) => t.add(t), { backend, stream: new Stream(1n) });
    return {
      run: async () => (await double(x)).dispose(),
      bits: async () => textBits(String(await (await double(x)).data())),
    };
  },
};

export const cases: readonly Case[] = [
  compiling("mlp-small", mlpSmall, 15),
  compiling("mlp-large", mlpLarge, 15),
  compiling("gpt", gpt, 9),
  compiling("lstm", lstm, 9),
  hit("mlp-small", mlpSmall),
  hit("gpt", gpt),
  calling,
];
