// The certificate of the kernels that gpu.js is given: faults of a shader's compiler, planted in their sources, are found by name, and a run has class A's digest all the same. It needs
// no GPU: the sources run in gpu.js's cpu mode, which by itself gives the right bits.
import { afterAll, beforeAll, expect, test } from "vitest";
import { gpujsCertified } from "../../src/backend/gpujs/backend.ts";
import { openGpu } from "../../src/backend/gpujs/facade.ts";
import { loadBackend } from "../../src/backend/load.ts";
import { type Backend, isReliable } from "../../src/compile/contract.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

let wasm: Backend;
beforeAll(async () => {
  wasm = await loadBackend("wasm");
});
afterAll(() => wasm?.dispose());

/** In cpu mode a number is a double until it is rounded: a product that isn't is exact. */
const product = /let (v\w+) = Math\.fround\((v\w+) \* (v\w+)\);/g;

const flushed = (text: string) => `(Math.abs(${text}) < ${2 ** -126} ? 0 : ${text})`;

interface Plant {
  readonly edit: (source: string) => string;
  readonly finds: readonly string[];
  readonly passes: readonly string[];
}

const plants: Readonly<Record<string, Plant>> = {
  contracts: {
    edit(source) {
      let edited = source;
      for (const [, name, a, b] of source.matchAll(product))
        edited = edited
          .replace(new RegExp(`Math\\.fround\\(${name} \\+ `, "g"), `Math.fround(${a} * ${b} + `)
          .replace(new RegExp(` \\+ ${name}\\);`, "g"), ` + ${a} * ${b});`);
      return edited;
    },
    finds: ["mul, then add", "mul twice, then add", "sum of products"],
    passes: ["add", "mul", "add, then add", "sum of rows"],
  },
  flushes: {
    edit: (source) =>
      source.replace(/let (v\d+) = (Math\.fround\([^()]*\));/g, (_, name, value) => `let ${name} = ${flushed(value)};`),
    finds: ["add", "sub", "mul", "div", "mul, then add"],
    passes: ["neg", "lt", "max of rows"],
  },
  reassociates: {
    edit(source) {
      let edited = source.replace(/for \(let (\w+) = 0; \1 < 64; \1\+\+\) \{/g, "for (let $1 = 63; $1 >= 0; $1--) {");
      for (const [, name, a, b] of source.matchAll(/let (v\d+) = Math\.fround\((v\d+) \+ (v\d+)\);/g))
        edited = edited.replace(
          new RegExp(`Math\\.fround\\(${name} \\+ (v\\d+)\\)`, "g"),
          `Math.fround(${a} + Math.fround(${b} + $1))`,
        );
      return edited;
    },
    finds: ["add, then add", "sum of rows"],
    passes: ["add", "mul", "mul, then add", "max of rows"],
  },
  "divides loosely": {
    edit: (source) => source.replace(/Math\.fround\((v\d+) \/ ([^()]+)\)/g, "Math.fround($1 * Math.fround(1 / $2))"),
    finds: ["div", "div by 3"],
    passes: ["mul", "sqrt", "sum of rows"],
  },
};

test.each(Object.entries(plants))(
  "a device that %s is found by name, and trains to class A's digest",
  async (fault, { edit, finds, passes }) => {
    const gpu = await openGpu("cpu");
    const backend = await gpujsCertified(
      { ...gpu, device: fault, kernel: (source, size, sizes) => gpu.kernel(edit(source), size, sizes) },
      wasm,
      1,
    );
    expect(isReliable(backend)).toBe(true);
    const { primitives, device } = backend.certificate!;
    expect(device).toBe(fault);
    const faults = Object.fromEntries(primitives.map((trial) => [trial.name, trial.fault]));
    for (const name of finds) expect(faults[name], name).toMatch(/^element \d+: [0-9a-f]{8}, expected [0-9a-f]{8} \(/);
    for (const name of passes) expect(faults, name).toHaveProperty([name], undefined);
    const loop = { numSteps: 3 };
    const { digest } = await toyTrainer({ backend: "wasm", loop }).fit(toyTrain());
    expect((await toyTrainer({ backend, loop }).fit(toyTrain())).digest).toBe(digest);
    expect(backend.certificate!.audit.tiles).toBeGreaterThan(0);
    gpu.destroy();
  },
);
