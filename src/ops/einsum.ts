// Einstein summation: the text is read, axes get their names, and operands are multiplied two by two from the left.
import { ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { string, takes, tensor } from "./arguments.ts";
import { refuseDTypes } from "./define.ts";
import { diagonal } from "./diagonal.ts";
import { reshape } from "./movement.ts";
import { type Named, ordered, pairProduct, summed } from "./named.ts";

function refuse(problem: string, got: string, expected: string, hint?: string): never {
  throw new ShapeError({ where: "einsum", problem, got, expected, hint });
}

/** The names of a term's axes: its letters, and of "..." an axis a number, counted from the right so that they broadcast. */
function namesOf(term: string, rank: number): string[] {
  const [before, after] = term.split("...");
  const letters = [...before, ...(after ?? "")];
  const free = rank - letters.length;
  if (free < 0 || (after === undefined && free > 0)) {
    refuse(
      "a term isn't its operand's shape",
      `"${term}" for ${rank} axes`,
      `${letters.length}${after === undefined ? "" : " or more"} axes`,
      free > 0 ? 'axes that have no letter are "..."' : undefined,
    );
  }
  const dots = after === undefined ? [] : Array.from({ length: free }, (_, i) => String(free - i));
  return [...before, ...dots, ...(after ?? "")];
}

const isLetter = (name: string) => /[A-Za-z]/.test(name);

/** The result's axes where no "->" says them: those of "...", then letters that occur once, in the alphabet's order, capitals first. */
function impliedBy(terms: readonly (readonly string[])[]): string[] {
  const all = terms.flat();
  const once = all.filter((name) => isLetter(name) && all.indexOf(name) === all.lastIndexOf(name));
  return [...dotsOf(terms), ...once.sort()];
}

/** The axes of "...", of the operand that has most. */
const dotsOf = (terms: readonly (readonly string[])[]): string[] =>
  terms
    .map((names) => names.filter((name) => !isLetter(name)))
    .reduce((most, dots) => (dots.length > most.length ? dots : most), []);

/** The result's axes as the text after "->" says them. */
function saidBy(output: string, terms: readonly (readonly string[])[]): string[] {
  const dots = dotsOf(terms);
  if (!output.includes("...") && dots.length > 0)
    refuse('the result lacks "..."', `"->${output}"`, `"->...${output}"`, 'sum over the axes of "..." first');
  const [before, after] = output.split("...");
  const names = [...before, ...(after === undefined ? [] : dots), ...(after ?? "")];
  const wrong = names.find((name, i) => names.indexOf(name) !== i || !terms.some((term) => term.includes(name)));
  if (wrong !== undefined)
    refuse("a letter of the result isn't once in it, and in a term", `"${wrong}"`, `each once, of the terms`);
  return names;
}

/** A term's axes with each name once: the diagonal of those that were named twice, and none that only stretches to another's extent. */
function named(node: Node, names: readonly string[], extents: ReadonlyMap<string, number>): Named {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    const [axis1, axis2] = [names.indexOf(twice), names.lastIndexOf(twice)];
    const rest = names.filter((_, i) => i !== axis1 && i !== axis2);
    return named(diagonal(node, { axis1, axis2 }), [...rest, twice], extents);
  }
  const kept = names.filter((name, i) => node.shape[i] === extents.get(name));
  const shape = kept.map((name) => extents.get(name)!);
  return { node: reshape(node, shape), axes: kept };
}

/** The extent of each name: that of the operands that don't stretch. */
function extentsOf(operands: readonly Node[], terms: readonly (readonly string[])[]): Map<string, number> {
  const extents = new Map<string, number>();
  terms.forEach((names, i) => {
    const { shape } = operands[i];
    names.forEach((name, axis) => {
      const [known, extent] = [extents.get(name) ?? 1, shape[axis]];
      const first = names.indexOf(name);
      if ((known !== 1 && extent !== 1 && known !== extent) || (first !== axis && shape[first] !== extent)) {
        const other = first === axis ? known : shape[first];
        const got = `${extent} and ${other} for "${name}", in ${formatShape(shape)}`;
        refuse("an axis has two extents", got, "one, or 1");
      }
      extents.set(name, known === 1 ? extent : known);
    });
  });
  return extents;
}

/**
 * Einstein summation, as NumPy's: einsum("ij,jk->ik", a, b) is a matrix product, "bhqd,bhkd->bhqk" attention's scores, "ii->i" a diagonal, "...i,i" a
 * product over the last axis. Without "->" the result has the letters that occur once, in the alphabet's order. Operands are multiplied from the left,
 * two at a time: axes that the rest doesn't need are summed there, in float32 by one matrix product where a third axis is left, else by products of
 * elements and a sum. An axis of extent 1 broadcasts. One dtype, float32 or int32. Throws ShapeError, DTypeError.
 * @torch torch.einsum
 */
export function einsum(equation: string, ...operands: Node[]): Node {
  const [input, output, more] = equation.replace(/\s/g, "").split("->");
  const terms = input.split(",");
  const wrong = [...terms, output ?? ""].find((term) => !/^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/.test(term));
  if (wrong !== undefined || more !== undefined)
    refuse("not an equation", JSON.stringify(equation), 'letters and "...", as in "ij,jk->ik"');
  if (terms.length !== operands.length)
    refuse("a term for each operand", `${terms.length} terms and ${operands.length} operands`, "as many of both");
  const { dtype } = operands[0];
  const other = operands.find((node) => node.dtype !== dtype) ?? operands[0];
  if (other.dtype !== dtype || (dtype !== "float32" && dtype !== "int32")) {
    refuseDTypes("einsum", other.dtype === dtype ? [dtype] : [dtype, other.dtype], "float32 or int32, one of all");
  }
  const names = terms.map((term, i) => namesOf(term, operands[i].shape.length));
  const result = output === undefined ? impliedBy(names) : saidBy(output, names);
  const extents = extentsOf(operands, names);
  const parts = operands.map((node, i) => named(node, names[i], extents));
  const product = parts.reduce((left, right, i) => {
    const later = parts.slice(i + 1).flatMap(({ axes }) => axes);
    return pairProduct(left, right, new Set([...result, ...later]));
  });
  return ordered(summed(product, new Set(result)), result);
}

takes({ einsum }, { equation: string, "...operands": tensor }, 'the equation comes first: einsum("ij,jk->ik", a, b)');
