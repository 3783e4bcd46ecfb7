// What a kernel's function depends on: everything but which values it reads and writes. Kernels with one signature share one function,
// which a model of many equal layers makes short to compile and quick to become hot.
import { type Draws, isDraws, type KernelInput, kernelInputs } from "../../kernels/kernel.ts";
import { kernelIndices, kindOf } from "../../kernels/kinds.ts";
import { expressionText } from "../../kernels/text.ts";
import type { Locals } from "./places.ts";
import type { Division, Member } from "./rows.ts";

/** What a kernel's list has a word for: a value (its address; where its group has it to itself, the place of its rows), or half of a range's first draw. */
export type Listed = number | DrawWord;

/** The low or the high 32 bits of where draws begin, counted from the base. */
export interface DrawWord {
  readonly draws: Draws;
  readonly half: "low" | "high";
}

/** Equal for equal ones. */
export const nameOf = (listed: Listed): number | string =>
  typeof listed === "number" ? listed : `${listed.half} of draw ${listed.draws.firstDraw}`;

const drawWords = (draws: Draws): DrawWord[] => [
  { draws, half: "low" },
  { draws, half: "high" },
];

/** The signature (with how its group is divided), and what the kernel's list has words for, in order. */
export function signatureOf(
  { kernel, number, panels }: Member,
  division: Division | undefined,
  { places }: Locals,
): { key: string; listed: Listed[] } {
  const listed: Listed[] = [];
  const slot = (value: Listed): number => {
    const known = listed.findIndex((other) => nameOf(other) === nameOf(value));
    return known >= 0 ? known : listed.push(value) - 1;
  };
  const input = ({ source, index, dtype, storage, view }: KernelInput) => [
    isDraws(source) ? ["draws", ...drawWords(source).map(slot)] : typeof source === "number" ? slot(source) : source,
    storage ?? dtype,
    [view.shape, view.strides, view.offset, view.bounds],
    index && [index.extent, index.stride],
  ];
  const { inputs, output, repeat, ...own } = kernel;
  const drawn = kernel.kind === "loop" ? undefined : kindOf(kernel).draws?.(kernel);
  const key: unknown[] = [
    division ?? "alone",
    { ...own, ...(kernel.kind === "loop" ? { body: expressionText(kernel.body) } : drawn && { offset: undefined }) },
    kernelInputs(kernel).map(input),
    slot(output),
    drawn && drawWords({ firstDraw: drawn.first }).map(slot),
    panels,
  ];
  // What an index out of range is reported under.
  if (kernelIndices(kernel).length > 0) key.push(number);
  for (const value of listed) if (typeof value === "number") key.push(places.get(value)?.rowBytes ?? "arena");
  return { key: JSON.stringify(key), listed };
}
