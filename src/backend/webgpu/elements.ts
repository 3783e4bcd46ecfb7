// What a kernel reads at a point of its nest: the words of the heap that its views lead to, coordinates, draws, and elements by an index that is data.
import type { LoopKernel } from "../../../kernels/kernel.ts";
import { isDraws } from "../../../kernels/kernel.ts";
import type { NestInput } from "../../schedule/nest.ts";
import { affine, fromWord, offset, type Shader } from "./shader.ts";

/** Conditions under which a point lies inside the bounds. */
const guards = ({ bounds }: NestInput, extents: readonly number[], names: readonly string[]): string[] =>
  bounds.flatMap((bound, axis) => [
    ...(bound && bound[0] > 0 ? [`(${names[axis]} >= ${bound[0]}u)`] : []),
    ...(bound && bound[1] < extents[axis] ? [`(${names[axis]} < ${bound[1]}u)`] : []),
  ]);

/** Where an input's element lies in the heap. */
export function placeOf(shader: Shader, input: NestInput, names: readonly string[], further = ""): string {
  const base = shader.base(input.source as number);
  const start = input.offset === 0 ? base : `${base} + ${offset(input.offset)}`;
  return `${affine(start, input.strides, names)}${further}`;
}

/** Statements, and what an input's element is called after them. */
export function readElement(
  shader: Shader,
  input: NestInput,
  extents: readonly number[],
  names: readonly string[],
  name: string,
  further = "",
): { lines: string[]; value: string } {
  const { source, type } = input;
  const index = () => affine(offset(input.offset), input.strides, names);
  if (source === "coordinate") return { lines: [`let ${name} = bitcast<i32>(${index()});`], value: name };
  const word = () =>
    isDraws(source)
      ? shader.call("word_at", shader.state(source), index())
      : `heap[${placeOf(shader, input, names, further)}]`;
  if (input.never) return { lines: [`let ${name} = ${fromWord(type, "0u")};`], value: name };
  const inside = guards(input, extents, names);
  if (inside.length === 0) return { lines: [`let ${name} = ${fromWord(type, word())};`], value: name };
  return {
    lines: [
      `var ${name}w = 0u;`,
      `if (${inside.join(" & ")}) { ${name}w = ${word()}; }`,
      `let ${name} = ${fromWord(type, `${name}w`)};`,
    ],
    value: name,
  };
}

/** Statements that read a kernel's inputs at the point `at` of the nest, whose inputs are the kernel's, their indices, and what is written; and what they are called. */
export function readInputs(
  shader: Shader,
  { inputs }: Pick<LoopKernel, "inputs">,
  nest: { readonly extents: readonly number[]; readonly inputs: readonly NestInput[] },
  names: readonly string[],
  at: string,
  prefix = "x",
): { lines: string[]; values: string[] } {
  const { extents } = nest;
  const lines: string[] = [];
  let indexed = inputs.length;
  const values = inputs.map(({ index }, i) => {
    const name = `${prefix}${i}`;
    let further = "";
    if (index) {
      const indices = nest.inputs[indexed++];
      const read = readElement(shader, indices, extents, names, `${name}n`);
      lines.push(
        ...read.lines,
        ...shader.checked(`bitcast<u32>(${read.value})`, index.extent, at, `${name}k`, {
          value: indices.source as number,
          element: (point) => elementAt(indices, extents, point),
        }),
      );
      further = ` + ${name}k * ${offset(index.stride)}`;
    }
    const read = readElement(shader, nest.inputs[i], extents, names, name, further);
    lines.push(...read.lines);
    return read.value;
  });
  return { lines, values };
}

/** The element that an input reads at the point `at`, row-major, of a nest. */
export function elementAt({ offset: start, strides }: NestInput, extents: readonly number[], at: number): number {
  let [element, rest] = [start, at];
  for (let axis = extents.length - 1; axis >= 0; axis--) {
    element += strides[axis] * (rest % extents[axis]);
    rest = Math.floor(rest / extents[axis]);
  }
  return element;
}
