// gpu.js by itself as a peer: `gpujs.ts webasm` or `gpujs.ts cpu`. Kernels as its users write them: float sums in whatever precision the mode has.
import { createRequire } from "node:module";
import { fillAll, type Workload } from "../workloads.ts";
import { Cannot, type Loose, serve } from "./serve.ts";

const mode = process.argv[2];
const require = createRequire(import.meta.url);
const { GPU } = require("gpu.js") as Loose;
const { version } = require("gpu.js/package.json") as { version: string };
const gpu: Loose = new GPU({ mode });

const options = { loopMaxIterations: 2 ** 31 - 1, precision: "single" };

function kernelOf(workload: Workload): Loose {
  switch (workload.kind) {
    case "matmul": {
      const { rows, depth, columns, form, batch } = workload;
      if (batch !== undefined) throw new Cannot("no batched product but one written by hand");
      const a =
        form === "tn" ? "a[k * this.constants.rows + this.thread.y]" : "a[this.thread.y * this.constants.depth + k]";
      const b =
        form === "nt" ? "b[this.thread.x * this.constants.depth + k]" : "b[k * this.constants.columns + this.thread.x]";
      return gpu.createKernel(
        `function (a, b) { let sum = 0; for (let k = 0; k < this.constants.depth; k++) { sum += ${a} * ${b}; } return sum; }`,
        { ...options, constants: { rows, depth, columns }, output: [columns, rows] },
      );
    }
    case "elementwise": {
      const bodies: Readonly<Record<string, string>> = {
        add: "a[this.thread.x] + b[this.thread.x]",
        exp: "Math.exp(a[this.thread.x])",
      };
      if (!bodies[workload.op]) throw new Cannot(`no ${workload.op} but one written by hand`);
      const parameters = workload.operands === 1 ? "a" : "a, b";
      return gpu.createKernel(`function (${parameters}) { return ${bodies[workload.op]}; }`, {
        ...options,
        output: [workload.count],
      });
    }
    case "sum": {
      const { rows, columns, axis } = workload;
      if (axis === "all") throw new Cannot("no reduction but one written by hand");
      const [extent, at, output] =
        axis === 1
          ? [columns, `this.thread.x * ${columns} + k`, rows]
          : [rows, `k * ${columns} + this.thread.x`, columns];
      return gpu.createKernel(
        `function (x) { let sum = 0; for (let k = 0; k < ${extent}; k++) { sum += x[${at}]; } return sum; }`,
        {
          ...options,
          output: [output],
        },
      );
    }
    case "mlp":
    case "cnn":
    case "lstm":
    case "gpt":
      throw new Cannot("no gradients");
    default:
      throw new Cannot(`no ${workload.kind} but one written by hand`);
  }
}

/** Rows of a result as one array. */
const flat = (result: Float32Array | Float32Array[]): Float32Array => {
  if (result instanceof Float32Array) return result;
  const out = new Float32Array(result.length * result[0].length);
  result.forEach((row, i) => out.set(row, i * row.length));
  return out;
};

await serve({
  version: `gpu.js ${version}`,
  prepare(workload) {
    const kernel = kernelOf(workload);
    const operands = fillAll(workload).map(({ data }) => data);
    return {
      run: () => kernel(...operands),
      result: () => flat(kernel(...operands)),
      dispose: () => kernel.destroy(),
    };
  },
});
