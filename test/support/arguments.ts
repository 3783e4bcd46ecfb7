// Wrong calls made from right ones: arguments dropped, added and replaced, option by option, for tests that each is refused with a typed error.
import { SeedgradError } from "../../src/core/errors.ts";
import { Tensor } from "../../src/tensor/tensor.ts";

/** As JavaScript sees a value. */
// biome-ignore lint/suspicious/noExplicitAny: calls that no type allows are what is tried
export type Untyped = any;

/** What is put in place of a right argument. */
const wrong: Readonly<Record<string, unknown>> = {
  undefined: undefined,
  null: null,
  true: true,
  "a text": "text",
  "a fraction": 1.5,
  NaN: Number.NaN,
  "an index far out": -99,
  "a bigint": 10n,
  "a symbol": Symbol("wrong"),
  "a function": () => 0,
  "a promise": Promise.resolve(1),
  "an empty list": [],
  // biome-ignore lint/suspicious/noSparseArray: what is tried
  "a list with a hole": [, 1],
  "a record": { nonsense: 1 },
  "a record without a prototype": Object.assign(Object.create(null), { nonsense: 1 }),
};

/** A right call with every argument; those from `required` on may be left out, and so may every option but those named. */
export interface RightCall {
  readonly args: () => readonly unknown[];
  readonly required: number;
  readonly requiredKeys: readonly string[];
  /** Takes any number of its last kind. */
  readonly variadic: boolean;
  /** Of what reads files or trains, and so is called wrongly alone: what an error of its arguments begins with. Another error doesn't count. */
  readonly refusedAs?: string;
}

export const call = (
  args: RightCall["args"],
  required: number = args().length,
  { requiredKeys = [], variadic = false, refusedAs }: Partial<Omit<RightCall, "args" | "required">> = {},
): RightCall => ({ args, required, requiredKeys, variadic, refusedAs });

interface WrongCall {
  /** `2 = NaN`, `1.axis = null`, `one more`. */
  readonly what: string;
  readonly args: readonly unknown[];
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** Whether a value of `wrong` is of the kind that the right one is of, and might be right too: a name, a function, a seed, a real number. */
const alike = (own: unknown, value: unknown): boolean =>
  own === value ||
  (typeof own === "number"
    ? value === 1.5 && !Number.isInteger(own)
    : typeof own === typeof value && typeof own !== "object");

/** Wrong calls beside a right one: an argument more, too few, and each argument and option in turn replaced. */
function wrongCalls({ args: right, required, requiredKeys, variadic }: RightCall): WrongCall[] {
  const calls: WrongCall[] = [];
  const count = right().length;
  if (!variadic) calls.push({ what: "one more", args: [...right(), 0] });
  for (let i = 0; i < count; i++) {
    const args = right();
    const own = args[i];
    const put = (what: string, value: unknown) =>
      calls.push({ what: `${i}${what}`, args: right().map((each, at) => (at === i ? value : each)) });
    if (i < required) calls.push({ what: `${i} and the rest left out`, args: args.slice(0, i) });
    for (const [name, value] of Object.entries(wrong))
      if (value === undefined ? i < required : !alike(own, value)) put(` = ${name}`, value);
    if (!isRecord(own)) continue;
    put(".nonsense", { ...own, nonsense: 1 });
    for (const key of Object.keys(own))
      for (const [name, value] of Object.entries(wrong)) {
        if (value === undefined ? requiredKeys.includes(key) : !alike(own[key], value))
          put(`.${key} = ${name}`, { ...own, [key]: value });
      }
  }
  return calls;
}

/** Wrong calls that aren't refused with a typed error, but for what `accepted` has reasons for. */
export async function notRefused(
  name: string,
  right: RightCall,
  apply: (...args: readonly unknown[]) => unknown,
  accepted: readonly Accepted[],
  /** What the first argument's position is called. */
  first = 0,
): Promise<string[]> {
  const found: string[] = [];
  for (const { what, args } of wrongCalls(right)) {
    const came = await outcome(() => apply(...args), right.refusedAs);
    const said = `${name}: ${what.replace(/^\d/, (position) => String(Number(position) + first))}`;
    const meant = () => accepted.some(([pattern]) => pattern.test(said));
    if (came === "typed" || (/^(accepted|elsewhere)/.test(came) && meant())) continue;
    found.push(`${said}: ${came}`);
  }
  return found;
}

/** Calls by a pattern of `<name>: <what>`, and why they are right. */
export type Accepted = readonly [RegExp, string];

/** What came of a call: a typed error, one that doesn't begin with `refusedAs`, a value, or an error that no one meant. Tensors are computed. */
export async function outcome(call: () => unknown, refusedAs = ""): Promise<"typed" | "accepted" | string> {
  try {
    const value = await call();
    const tensors = (Array.isArray(value) ? value : [value]).filter((each) => each instanceof Tensor);
    for (const each of tensors) await each.data();
    return "accepted";
  } catch (error) {
    if (error instanceof SeedgradError)
      return error.where.startsWith(refusedAs) ? "typed" : `elsewhere: ${error.message}`;
    return `${error instanceof Error ? error.stack?.split("\n").slice(0, 3).join(" ") : String(error)}`;
  }
}
