// A comparison in words: the lines that `diff` prints, and `verify` where something differs.
import { checkArguments, isRecord, kind, listOf, signature, strings } from "../core/arguments.ts";
import { placeOf, showPlace } from "../graph/place.ts";
import { showAgreement } from "./agree.ts";
import type { Diff } from "./diff.ts";
import type { NodeDifference } from "./graphs.ts";
import type { OpDifference } from "./input.ts";

/** So many differences of one kind are shown; of the rest, how many. */
const shown = 12;

const records = listOf(kind("a record", isRecord), "a list of records");
const call = signature("showDiff", {
  diff: kind("a comparison, as diffRuns gives it", (value) => {
    const { names, facts, graph, notes, equal } = (value ?? {}) as Partial<Diff>;
    const told = [names, notes].every(strings.accepts) && [facts, graph].every(records.accepts);
    return told && names?.length === 2 && typeof equal === "boolean";
  }),
});

/** A comparison as lines for people. */
export function showDiff(diff: Diff): string[] {
  checkArguments(call, arguments);
  const { names, facts, graph, chain, step, roles = [], op, cause, notes, ...agreement } = diff;
  const lines = [`first   ${names[0]}`, `second  ${names[1]}`];
  if (facts.length > 0) {
    lines.push("", "# what they were given");
    const told = facts.map(
      ({ what, first, second, matters }) => `${what}: ${first} | ${second}${matters ? "" : "  (no bit depends on it)"}`,
    );
    lines.push(...few(told));
  }
  if (graph.length > 0)
    lines.push("", "# where the training graphs differ", ...few(graph.flatMap(showNode), 2 * shown));
  if (chain && chain.kind !== "length")
    lines.push("", "# chains", `they part at step ${chain.step}: ${chain.first} | ${chain.second}`);
  if (step !== undefined)
    lines.push(
      "",
      step === 0
        ? "# replayed: the first values of parameters differ"
        : `# replayed: step ${step} is the first that differs${showRoles(roles)}`,
    );
  if (op) lines.push(...showOp(op));
  if (op?.value !== undefined)
    lines.push(`  value ${op.value} of the step: verify RUN --op ${step}:${op.value} proves it`);
  if (notes.length > 0) lines.push("", ...notes);
  lines.push("", cause ? `DIFFERENT: ${cause.name}: ${cause.detail}` : showAgreement(agreement));
  return lines;
}

/** Which graphs a step is of, where that isn't the one that every step is of. */
function showRoles(roles: readonly string[]): string {
  const different = [...new Set(roles)];
  return different.some((role) => role !== "train") ? `, of graph ${different.join(" | ")}` : "";
}

function few(lines: readonly string[], most = shown): string[] {
  return lines.length <= most ? [...lines] : [...lines.slice(0, most), `… and ${lines.length - most} more`];
}

/** One place where two graphs differ, as one or two lines. */
export function showNode({ kind, what, first, second, nodes }: NodeDifference): string[] {
  const made = nodes.map((node) => node?.made).find((site) => site?.origin ?? site?.role);
  const place = made && showPlace(placeOf(made));
  const where = place ? `  ${place}` : "";
  if (kind === "first") return [`only in the first: ${first}${where}`];
  if (kind === "second") return [`only in the second: ${second}${where}`];
  return [`${what.join(", ")}${where}:`, `  ${first || "nothing"} | ${second || "nothing"}`];
}

function showOp({
  kind,
  name,
  node,
  element,
  count,
  size,
  first,
  second,
  ulp,
  reference,
  agrees,
  value: _,
  ...place
}: OpDifference): string[] {
  const what = {
    input: `what goes into it differs: ${name}`,
    op: `the first op whose inputs agree and whose output doesn't: ${name}`,
    kernel: `every op by itself agrees; fused, they don't: ${name}`,
  }[kind];
  const lines = [what];
  if (node !== undefined) lines.push(`  ${node}`);
  const shownPlace = showPlace(place);
  if (shownPlace !== undefined) lines.push(`  ${shownPlace}`);
  if (count === 0) return [...lines, `  ${first} | ${second}`];
  const distance = ulp === undefined ? "" : `, ${ulp} ULP apart`;
  lines.push(
    `  element [${element.join(", ")}], the first of ${count} of ${size} that differ: ${first} | ${second}${distance}`,
  );
  if (reference !== undefined) {
    const verdict = {
      first: "which the first side has",
      second: "which the second side has",
      both: "each side has what its own program means",
      neither: "which neither side has",
    }[agrees!];
    lines.push(`  reference: ${reference}, ${verdict}`);
  }
  return lines;
}
