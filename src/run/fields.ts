// Checks of what a run's files hold, field by field: a file that another program, version or accident made is refused by name, not by chance.
import { readText } from "#files";
import { CheckpointError } from "../core/errors.ts";
import { numericsId } from "../core/numerics.ts";
import { parseFileJson } from "../io/json.ts";

type Holds = (value: unknown) => boolean;

/** What a field should be, in words and as a test. */
export type FieldCheck = readonly [expected: string, holds: Holds];

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const isText = (value: unknown): value is string => typeof value === "string";
const unusual: readonly unknown[] = ["NaN", "Infinity", "-Infinity", "-0"];
/** A number itself, as what was decoded has it: NaN and infinities, too. */
export const isDecodedNumber = (value: unknown): boolean => typeof value === "number";
/** A number as `numberText` writes it. */
export const isNumber = (value: unknown): boolean => isDecodedNumber(value) || unusual.includes(value);
/** A number for JSON: text where JSON has none such, or would change it. */
export const numberText = (value: number): number | string =>
  Object.is(value, -0) ? "-0" : Number.isFinite(value) ? value : String(value);
/** The number that `numberText` was given. */
export const numberOf = (value: number | string): number => Number(value);

type Numbers<T> = Readonly<Record<string, T>>;
export const numbersText = (numbers: Numbers<number>): Numbers<number | string> =>
  Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, numberText(value)]));
export const numbersOf = (numbers: Numbers<number | string>): Numbers<number> =>
  Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, numberOf(value)]));
export const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
/** SHA-256 as 64 hex digits. */
export const isHash = (value: unknown): boolean => isText(value) && /^[0-9a-f]{64}$/.test(value);
/** A seed as files have it: decimal, in [0, 2⁶⁴). */
export const isSeed = (value: unknown): boolean =>
  isText(value) && /^(0|[1-9]\d{0,19})$/.test(value) && BigInt(value) < 1n << 64n;
export const isFlag = (value: unknown): boolean => typeof value === "boolean";
/** What may be left out. */
export const maybe =
  (holds: Holds): Holds =>
  (value) =>
    value === undefined || holds(value);
export const orNull =
  (holds: Holds): Holds =>
  (value) =>
    value === null || holds(value);
/** A list whose items all hold. */
export const listOf =
  (holds: Holds): Holds =>
  (value) =>
    Array.isArray(value) && value.every(holds);
export const isTexts = listOf(isText) as (value: unknown) => value is string[];
/** A record whose members all hold. */
export const recordOf =
  (holds: Holds): Holds =>
  (value) =>
    isRecord(value) && Object.values(value).every(holds);
/** A record whose members of these names hold. */
export const shaped =
  (members: Readonly<Record<string, Holds>>): Holds =>
  (value) =>
    isRecord(value) && Object.entries(members).every(([key, holds]) => holds(value[key]));

/** What a text is as JSON; undefined where it is none. */
export function tryJson(text: string): unknown {
  try {
    return parseFileJson(text);
  } catch {
    return undefined;
  }
}

/** The value of a file of JSON. Throws CheckpointError, saying `problem`, where it holds no JSON. */
export function readJson(path: string, problem: string, hint?: string): unknown {
  const text = readText(path, CheckpointError);
  try {
    return parseFileJson(text);
  } catch (cause) {
    throw new CheckpointError({ where: path, problem, got: String(cause), hint, cause });
  }
}

/** Throws CheckpointError naming `where` and the field unless `value` is a record whose fields hold; `what` such a record is. */
export function checkFields(
  where: string,
  what: string,
  value: unknown,
  checks: Readonly<Record<string, FieldCheck>>,
): void {
  if (!isRecord(value)) refuse(where, `${what} isn't a record`, value);
  for (const [field, [expected, holds]] of Object.entries(checks)) {
    if (!holds(value[field])) refuse(`${where}: ${field}`, `not what ${what} holds`, value[field], expected);
  }
}

/** Throws CheckpointError unless a record was made under this version's numerics; `what` such a record is. Before all else of it is read: under another id other fields and digests may hold. */
export function checkNumerics(where: string, what: string, value: unknown): void {
  const got = isRecord(value) ? value.numericsId : undefined;
  if (got === numericsId || !isText(got)) return;
  throw new CheckpointError({
    where,
    problem: `${what} of another numerics id, under which operations mean other bits`,
    got: got.slice(0, 100),
    expected: numericsId,
    hint: isEarlier(got)
      ? "made by an earlier version: make the run again, or use the version that made it"
      : "made by another version: use the version that made it",
  });
}

/** Whether an id is of this family, with a lower number. */
function isEarlier(id: string): boolean {
  const [family, number] = numericsId.split("/");
  const match = /^(.*)\/(\d{1,9})$/.exec(id);
  return match?.[1] === family && Number(match[2]) < Number(number);
}

function refuse(where: string, problem: string, found: unknown, expected?: string): never {
  const got = JSON.stringify(found) ?? "nothing";
  const shown = got.length > 100 ? `${got.slice(0, 100)}…` : got;
  throw new CheckpointError({ where, problem, got: shown, expected });
}
