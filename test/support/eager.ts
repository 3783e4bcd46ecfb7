// Run by itself with --expose-gc by test/runtime/eager.test.ts: a loop over tensors that nothing compiles, of one of the kinds below. Prints how
// many versions of 256 KiB are alive at its end, how its heap grew over the second half, and how long its quarters took.
import { loadBackend } from "../../src/backend/load.ts";
import { gradients } from "../../src/program/gradients.ts";
import { Variable } from "../../src/program/variable.ts";
import { manualSeed } from "../../src/rng/stream.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import { tensor, uniform } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";

const [kind, steps] = [process.argv[2], Number(process.argv[3])];
const size = 1 << 16;
const inner = await loadBackend("wasm");
let live = 0;
const backend = Object.create(inner, {
  allocate: {
    value: (...args: Parameters<typeof inner.allocate>) => {
      live += 4 * args[1];
      return inner.allocate(...args);
    },
  },
  free: {
    value: (buffer: Parameters<typeof inner.free>[0]) => {
      live -= 4 * buffer.size;
      inner.free(buffer);
    },
  },
  load: { value: inner.load.bind(inner) },
  read: { value: inner.read.bind(inner) },
  write: { value: inner.write.bind(inner) },
});
await setDefaultBackend(backend);
manualSeed(1n);

const x = tensor(new Float32Array(size).fill(0.5));
const lossOf = (w: Tensor) => {
  const error = w.mul(x).sub(1);
  return error.mul(error).mean();
};
const stepped = (w: Tensor) => {
  const loss = lossOf(w);
  return { loss, next: w.sub(gradients(loss, [w])[0].mul(100)) };
};

/** State as functional programs keep it: each step makes another. */
class State {
  readonly w: Tensor;
  constructor(w: Tensor) {
    this.w = w;
  }
  next(): State {
    return new State(stepped(this.w).next);
  }
}

let w = uniform([size]);
const variable = new Variable(uniform([size]));
let state = new State(w);
const loops: Record<string, () => Promise<unknown>> = {
  realized: () => {
    w = stepped(w).next;
    return w.realize();
  },
  "losses read": () => {
    const { loss, next } = stepped(w);
    w = next;
    return loss.item();
  },
  "a variable": () => {
    const { loss, next } = stepped(variable);
    variable.assign(next);
    return loss.item();
  },
  "a variable read": () => {
    variable.assign(stepped(variable).next);
    return variable.data();
  },
  "objects of states": () => {
    state = state.next();
    return state.w.realize();
  },
  "graphs of their own": async () => {
    const t = uniform([size]);
    await t.realize();
    return t.add(Math.random()).sum().item();
  },
};

const settle = async () => {
  for (let i = 0; i < 4; i++) {
    globalThis.gc!();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
};
const quarters: number[] = [];
const heaps: number[] = [];
let most = 0;
for (let quarter = 0; quarter < 4; quarter++) {
  const start = performance.now();
  for (let i = 0; i < steps / 4; i++) {
    await loops[kind]();
    most = Math.max(most, live);
  }
  quarters.push(performance.now() - start);
  await settle();
  heaps.push(process.memoryUsage().heapUsed);
}
console.log(
  JSON.stringify({
    versions: live / (4 * size),
    most: most / (4 * size),
    heap: heaps[3] - heaps[1],
    quarters: quarters.map(Math.round),
    value: await (kind.startsWith("a variable")
      ? lossOf(variable)
      : kind.startsWith("objects")
        ? lossOf(state.w)
        : lossOf(w)
    ).item(),
  }),
);
