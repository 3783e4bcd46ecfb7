// Random fills from the stream.
import { compile, normal, permutation, Stream, type Tensor, uniform } from "../../src/index.ts";
import type { Case } from "../harness.ts";

function fill(name: string, count: number, make: (count: number) => Tensor): Case {
  return {
    name,
    unit: "Gelem/s",
    work: count,
    async prepare(backend) {
      const apply = compile(() => make(count), { backend, stream: new Stream(1n) });
      return async () => (await apply.execute([], { base: 0 })).result;
    },
  };
}

export const cases: readonly Case[] = [
  fill("uniform-4m", 4 * 1024 * 1024, (count) => uniform([count])),
  fill("normal-4m", 4 * 1024 * 1024, (count) => normal([count])),
  fill("permutation-60k", 60000, permutation),
];
