// One compute shader as it is put together: where its values lie, which functions it needs, and the text of the whole.
import type { ScalarType } from "../../../kernels/expr.ts";
import type { Draws } from "../../../kernels/kernel.ts";
import { groupSize } from "../../schedule/grid.ts";
import { arithmetic, arithmeticNames } from "./arithmetic.ts";
import { quick, quickNames } from "./quick.ts";
import { stream, streamNames } from "./stream.ts";

/** What a dispatch is told, a word or two each: where a value, the scratch memory or a program lies in the heap, or a range's state before its first draw. */
export type Slot =
  | { readonly value: number }
  | { readonly draws: Draws }
  | { readonly scratch: true }
  | { readonly program: Uint32Array }
  | Repaired;

/** How many outputs may be computed again, each of which takes so many operations. */
export interface Repaired {
  readonly operations: number;
}

/** Where in the words of a dispatch its slots begin: behind a 0, and which words of `status` are its own: how many outputs are in doubt, then one for each of its checks. */
export const firstSlot = 2;

/** Workgroups along one dimension of a dispatch. */
export const widestDispatch = 65535;

/** A shader, and how much of it runs. Equal sources are one pipeline. */
export interface Dispatch {
  readonly source: string;
  readonly groups: number;
  readonly slots: readonly Slot[];
  /** Words of the dispatch's own memory, in scratch. */
  readonly scratch: number;
  readonly checks: readonly IndexCheck[];
  /** It computes what the dispatch before it left in doubt, and has that one's words of `status`. */
  readonly isRepair?: boolean;
}

/** Indices that a shader checks: where in the heap, from a value's beginning, the index of the point `at` is. */
export interface IndexCheck {
  readonly value: number;
  element(at: number): number;
}

/** A type's name in WGSL; floats are their bits. */
export const typeName = (type: ScalarType): string =>
  ({ float32: "u32", uint32: "u32", int32: "i32", bool: "bool" })[type];

/** A word of the heap as a value of the type. */
export const fromWord = (type: ScalarType, word: string): string =>
  type === "int32" ? `bitcast<i32>(${word})` : type === "bool" ? `(${word} != 0u)` : word;

/** A value as a word of the heap. */
export const toWord = (type: ScalarType, value: string): string =>
  type === "int32" ? `bitcast<u32>(${value})` : type === "bool" ? `select(0u, 1u, ${value})` : value;

/** A number of the type as WGSL has it. */
export function literal(type: ScalarType, value: number): string {
  if (type === "float32") return `0x${bitsOf(value).toString(16)}u`;
  return type === "bool" ? String(value !== 0) : type === "int32" ? `i32(${value})` : `${value}u`;
}

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** A float32's bits, every NaN as one. */
export function bitsOf(value: number): number {
  float[0] = value;
  return value === value ? word[0] : 0x7fc00000;
}

/** An integer modulo 2³² as WGSL has it: indices are computed so, and a step back is a long one ahead. */
export const offset = (value: number): string => `${value >>> 0}u`;

/** `at` + each step times its number, modulo 2³². */
export function affine(at: string, steps: readonly number[], names: readonly string[]): string {
  const terms = names.flatMap((name, axis) =>
    steps[axis] === 0 || name === "0u" ? [] : [steps[axis] === 1 ? name : `${name} * ${offset(steps[axis])}`],
  );
  return [at, ...terms].join(" + ");
}

/** Coordinates of a flat index: statements, and a name or literal an axis. */
export function coordinates(
  flat: string,
  extents: readonly number[],
  prefix: string,
): { lines: string[]; names: string[] } {
  const lines: string[] = [];
  const names = new Array<string>(extents.length).fill("0u");
  let rest = flat;
  const axes = [...extents.keys()].filter((axis) => extents[axis] !== 1);
  for (const [i, axis] of axes.reverse().entries()) {
    if (i === axes.length - 1) names[axis] = rest;
    else {
      names[axis] = `${prefix}${axis}`;
      lines.push(
        `let ${prefix}${axis} = ${rest} % ${extents[axis]}u;`,
        `let ${prefix}${axis}r = ${rest} / ${extents[axis]}u;`,
      );
      rest = `${prefix}${axis}r`;
    }
  }
  return { lines, names };
}

export class Shader {
  readonly #slots: Slot[] = [];
  readonly #words: number[] = [];
  readonly #functions = new Set<string>();
  readonly #memory: string[] = [];
  readonly #checks: IndexCheck[] = [];
  readonly #isGuarded: boolean;
  readonly #isQuick: boolean;
  #usesStatus = false;
  #takesDoubt = false;
  #scratch = 0;
  #next = firstSlot;

  /** `isGuarded`: nothing is written once an index was out of range. `isQuick`: floats by the device's own + and ×, results of which may be in doubt. */
  constructor({ isGuarded = false, isQuick = false } = {}) {
    this.#isGuarded = isGuarded;
    this.#isQuick = isQuick;
  }

  /** Whether what it has computed so far may be in doubt: then `doubt` says so. */
  get hasDoubt(): boolean {
    return this.#takesDoubt || quickNames.some((name) => this.#functions.has(name));
  }

  /** Statement: what is computed is in doubt where a condition holds. */
  doubts(condition: string): string {
    this.#takesDoubt = true;
    return `doubt |= ${condition};`;
  }

  #slot(same: (slot: Slot) => boolean, slot: Slot, words: number): number {
    const known = this.#slots.findIndex(same);
    if (known >= 0) return this.#words[known];
    this.#slots.push(slot);
    this.#words.push(this.#next);
    this.#next += words;
    return this.#next - words;
  }

  /** Where a value lies in the heap, in words. */
  base(value: number): string {
    return runWord(this.#slot((slot) => "value" in slot && slot.value === value, { value }, 1));
  }

  /** Where `words` words of scratch memory begin. */
  scratch(words: number): string {
    this.#scratch = Math.max(this.#scratch, words);
    return runWord(this.#slot((slot) => "scratch" in slot, { scratch: true }, 1));
  }

  /** Where a program's words begin. */
  program(words: Uint32Array): string {
    return runWord(this.#slot((slot) => "program" in slot && slot.program === words, { program: words }, 1));
  }

  /** The state before a range's first draw. */
  state(draws: Draws): string {
    const at = this.#slot((slot) => "draws" in slot && slot.draws.firstDraw === draws.firstDraw, { draws }, 2);
    return `vec2<u32>(${runWord(at)}, ${runWord(at + 1)})`;
  }

  /** A call of one of the functions that a shader may have. */
  call(name: string, ...parameters: readonly string[]): string {
    const quickName = name.replace(/^f/, "q_");
    const used = this.#isQuick && quickNames.includes(quickName) ? quickName : name;
    this.#functions.add(used);
    return `${used}(${parameters.join(", ")})`;
  }

  /** Memory that a workgroup's invocations share. */
  shared(declaration: string): void {
    this.#memory.push(`var<workgroup> ${declaration};`);
  }

  /** Statement: a word of the heap gets a value. */
  store(at: string, value: string): string {
    if (!this.#isGuarded) return `heap[${at}] = ${value};`;
    this.#usesStatus = true;
    return `if (atomicLoad(&status[0]) == 0u) { heap[${at}] = ${value}; }`;
  }

  /** Statement: an output is written or, where `doubt` is a condition that holds, put on the list of those that are computed again, `list` words into scratch memory. */
  settle(at: string, value: string, output: string, doubt: string | undefined, list: number, outputs: number): string {
    if (doubt === undefined) return this.store(at, value);
    return `if (${doubt}) { ${this.again(output, list, outputs)} } else { ${this.store(at, value)} }`;
  }

  /** Statement: an output is put on the list of those that are computed again. */
  again(output: string, list: number, outputs: number): string {
    this.#usesStatus = true;
    return `heap[${this.scratch(list + outputs)} + ${list}u + atomicAdd(&status[${runWord(1)}], 1u)] = ${output};`;
  }

  /** Statements that hold an index against its extent, and its name, 0 where it is out of range. `at`: the point whose index is told; the first is. */
  checked(index: string, extent: number, at: string, name: string, check: IndexCheck): string[] {
    this.#usesStatus = true;
    const number = this.#checks.push(check) - 1;
    return [
      `let ${name}i = ${index};`,
      `if (${name}i >= ${extent}u) { atomicMax(&status[0], 1u); atomicMax(&status[${runWord(1)} + ${number + 1}u], ~(${at})); }`,
      `let ${name} = select(0u, ${name}i, ${name}i < ${extent}u);`,
    ];
  }

  /** The shader whose invocations do `lines`; their number in the workgroup is `local`, the workgroup's `group`. */
  dispatch(lines: readonly string[], groups: number): Dispatch {
    const names = [...this.#functions];
    const source = [
      "@group(0) @binding(0) var<storage, read_write> heap: array<u32>;",
      `@group(0) @binding(1) var<uniform> run: array<vec4<u32>, ${Math.ceil(this.#next / 4)}>;`,
      ...(this.#usesStatus ? ["@group(0) @binding(2) var<storage, read_write> status: array<atomic<u32>>;"] : []),
      ...this.#memory,
      "fn hidden_zero() -> u32 { return run[0].x; }",
      arithmetic(names.filter((name) => arithmeticNames.includes(name))),
      stream(names.filter((name) => streamNames.includes(name))),
      this.hasDoubt ? "var<private> doubt: bool = false;" : "",
      quick(names.filter((name) => quickNames.includes(name))),
      `@compute @workgroup_size(${groupSize})`,
      "fn main(@builtin(workgroup_id) place: vec3<u32>, @builtin(local_invocation_index) local: u32) {",
      `  let group = ${groups > widestDispatch ? `place.x + place.y * ${widestDispatch}u` : "place.x"};`,
      ...lines.map((line) => `  ${line}`),
      "}",
    ];
    return {
      source: source.filter(Boolean).join("\n"),
      groups,
      slots: this.#slots,
      scratch: this.#scratch,
      checks: this.#checks,
    };
  }

  /** The shader of one invocation for each of `count` points, `flat`. */
  points(lines: readonly string[], count: number): Dispatch {
    return this.dispatch(
      [`let flat = group * ${groupSize}u + local;`, `if (flat >= ${count}u) { return; }`, ...lines],
      Math.ceil(count / groupSize),
    );
  }
}

const runWord = (at: number): string => `run[${at >> 2}].${"xyzw"[at & 3]}`;
