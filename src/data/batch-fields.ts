// Fields of a batch that something reads and the batch hasn't.
import { ConfigError } from "../core/errors.ts";

/** Fields that layers and losses of the library do without: where one isn't there, nothing fails for it. */
const optional: ReadonlySet<string> = new Set([
  "sampleWeights",
  "mask",
  "keyMask",
  "memory",
  "memoryMask",
  "memoryKeyMask",
  "state",
]);

/** Gives `reads` a batch, and adds the names that it reads to `read`. Where that fails since something is undefined, and fields were read that aren't there and must be, the error is a ConfigError that names them. */
export function reading<B extends object, T>(batch: B, reader: string, reads: (batch: B) => T, read?: Set<string>): T {
  const missing = new Set<string>();
  const noting = new Proxy(batch, {
    get(fields, name) {
      if (typeof name === "string") read?.add(name);
      if (typeof name === "string" && !(name in fields) && !optional.has(name)) missing.add(name);
      return Reflect.get(fields, name);
    },
  });
  try {
    return reads(noting);
  } catch (cause) {
    if (missing.size === 0 || !/undefined/.test(String(cause))) throw cause;
    const names = [...missing].join(", ");
    throw new ConfigError({
      where: "batch",
      problem: `the batch has no ${names}, and ${reader}`,
      got: Object.keys(batch).join(", "),
      expected: `${missing.size > 1 ? "tensors" : "a tensor"} named ${names}`,
      hint: missing.has("inputs") ? "a model that takes others has forward(inputs, batch)" : `what failed: ${cause}`,
      cause,
    });
  }
}
