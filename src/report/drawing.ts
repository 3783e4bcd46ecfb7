// A graph as a drawing: a box per node, or per part of the program where there are many, each part to open. No script.
import { formatShape, typeText } from "../core/shape.ts";
import { fixedData, type Graph, graphNodes } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { placeOf, showPlace } from "../graph/place.ts";
import { recordOf } from "../ops/define.ts";
import { escapeHtml } from "./html.ts";
import { type Box, layOut } from "./layered.ts";

/** A box of the drawing. */
interface Drawn {
  readonly lines: readonly string[];
  readonly kind: string;
  readonly title: string;
  readonly from: number[];
}

/** A graph of more boxes is drawn in parts, each of which opens. */
const mostTogether = 160;
/** A part holds at most so many nodes. */
const mostInPart = 60;

/** Numbers, and what only repeats or reshapes them, are told in the box that reads them. */
function isPlain(graph: Graph, node: Node): boolean {
  const { kind } = recordOf(node);
  return (
    kind === "full" ||
    (kind === "movement" && node.inputs.every((input) => !fixedData(graph, input) && isPlain(graph, input)))
  );
}

const numberOf = (node: Node): string =>
  node.inputs.length > 0 ? numberOf(node.inputs[0]) : String(node.attributes.value);

/** Boxes for some nodes of a graph: its inputs beside each reader, other parts' values as chips too. */
function boxesOf(graph: Graph, nodes: readonly Node[]): Drawn[] {
  const boxes: Drawn[] = [];
  const places = new Map<Node, number>();
  const inputs = new Map(graph.inputs.map(({ name, node }) => [node, name]));
  const results = new Map<Node, string>();
  for (const { name, node } of graph.outputs)
    results.set(node, results.has(node) ? `${results.get(node)}, ${name}` : name);
  const chip = (node: Node): number => {
    const input = inputs.get(node);
    const text = input ?? (fixedData(graph, node) ? "constant" : node.op);
    const kind = input ? `input ${input.split("/")[0]}` : "other";
    return (
      boxes.push({
        lines: [short(text)],
        kind,
        title: `${text} ${typeText(node)}`,
        from: [],
      }) - 1
    );
  };
  for (const node of nodes) {
    if (isPlain(graph, node) && !results.has(node)) continue;
    const operands = node.inputs.filter((input) => !isPlain(graph, input));
    const numbers = node.inputs.filter((input) => isPlain(graph, input)).map((input) => shortNumber(numberOf(input)));
    const from = operands.map((input) => places.get(input) ?? chip(input));
    const result = results.get(node);
    const record = recordOf(node);
    const kind = record.kind === "special" ? record.of : record.kind;
    const lines = [
      `${node.op}${numbers.length > 0 ? ` ${numbers.join(", ")}` : ""}`,
      `${shortType(node)}${formatShape(node.shape)}`,
    ];
    const { made } = node;
    const place = made && showPlace(placeOf(made));
    const title = `${node.op} ${typeText(node)}\n${JSON.stringify(node.attributes)}${place ? `\n${place}` : ""}${result ? `\noutput ${result}` : ""}`;
    places.set(
      node,
      boxes.push({
        lines: result ? [...lines, `→ ${short(result)}`] : lines,
        kind: result ? `${kind} result` : kind,
        title,
        from,
      }) - 1,
    );
  }
  return boxes;
}

const short = (text: string) => (text.length > 28 ? `…${text.slice(-27)}` : text);
const shortNumber = (text: string) => (text.length > 8 ? String(Number(Number(text).toPrecision(5))) : text);
const shortType = ({ dtype }: Node) => (dtype === "float32" ? "" : `${dtype} `);

/** One drawing. */
function draw(drawn: readonly Drawn[]): string {
  const boxes = drawn.map(
    ({ lines, from }): Box => ({
      width: Math.max(...lines.map((line) => line.length)) * 6.6 + 16,
      height: lines.length * 14 + 8,
      from,
    }),
  );
  const { width, height, boxes: corners, edges } = layOut(boxes);
  const at = (value: number) => value.toFixed(1);
  const paths = edges.map(({ points }) => {
    const [[x, y], ...rest] = points;
    let path = `M${at(x)} ${at(y)}`;
    let [px, py] = [x, y];
    for (const [qx, qy] of rest) {
      const middle = (py + qy) / 2;
      path += `C${at(px)} ${at(middle)} ${at(qx)} ${at(middle)} ${at(qx)} ${at(qy)}`;
      [px, py] = [qx, qy];
    }
    return `<path d="${path}"/>`;
  });
  const nodes = drawn.map(({ lines, kind, title }, i) => {
    const { x, y } = corners[i];
    const { width: w, height: h } = boxes[i];
    const texts = lines.map(
      (line, n) =>
        `<text x="${at(x + w / 2)}" y="${at(y + 15 + 14 * n)}"${n > 0 ? ' class="small"' : ""}>${escapeHtml(line)}</text>`,
    );
    return `<g class="${kind}"><title>${escapeHtml(title)}</title><rect x="${at(x)}" y="${at(y)}" width="${at(w)}" height="${at(h)}" rx="4"/>${texts.join("")}</g>`;
  });
  return `<div class="drawing"><svg width="${at(width)}" height="${at(height)}" viewBox="0 0 ${at(width)} ${at(height)}" role="img"><g class="edges">${paths.join("")}</g>${nodes.join("")}</svg></div>`;
}

/** Nodes in making order, cut where another part of the program made them. */
function partsOf(nodes: readonly Node[]): { name: string; nodes: Node[] }[] {
  const parts: { name: string; nodes: Node[] }[] = [];
  for (const node of nodes) {
    const { made } = node;
    const backward = made?.role?.startsWith("gradient of ") === true;
    const line = made?.origin?.replace(/^.*\/(?=[^/]+\/[^/]+$)/, "").replace(/:\d+$/, "");
    const own = (backward ? made.part : (made?.part ?? made?.role)) ?? line ?? "made elsewhere";
    const name = backward ? `backward: ${own}` : own;
    const last = parts.at(-1);
    if (last && last.name === name && last.nodes.length < mostInPart) last.nodes.push(node);
    else parts.push({ name, nodes: [node] });
  }
  return parts;
}

const nodeCount = ({ length }: readonly Node[]) => `${length} node${length === 1 ? "" : "s"}`;

/** The drawing, with its parts where there are any. */
export function drawing(graph: Graph): string {
  const nodes = graphNodes(graph);
  const whole = boxesOf(graph, nodes);
  if (whole.length <= mostTogether) return draw(whole);
  const parts = partsOf(nodes);
  const partOf = new Map(parts.flatMap(({ nodes: members }, i) => members.map((node) => [node, i] as const)));
  const summary = parts.map(({ name, nodes: members }, i): Drawn => {
    const from = new Set(members.flatMap((node) => node.inputs.map((input) => partOf.get(input))));
    const sources = [...from].filter((part): part is number => part !== undefined && part !== i);
    const ops = [...new Set(members.map(({ op }) => op))];
    return {
      lines: [`${i + 1}: ${name}`, nodeCount(members)],
      kind: "part",
      title: ops.join(", "),
      from: sources,
    };
  });
  const opened = parts.map(
    ({ name, nodes: members }, i) =>
      `<details><summary>${i + 1}: ${escapeHtml(name)}, ${nodeCount(members)}</summary>${draw(boxesOf(graph, members))}</details>`,
  );
  return `${draw(summary)}\n${opened.join("\n")}`;
}

/** The drawings' rules. */
export const drawingStyle = `
:root{--edge:#8894a5;--input:#e3eefb;--state:#e6f4e6;--number:#fbf0dc;--random:#f6e2f1;--heavy:#fde4dc;--result:#1d6fd1}
@media (prefers-color-scheme: dark){:root{--edge:#66717f;--input:#1d3350;--state:#1f3a26;--number:#413519;--random:#402440;--heavy:#4a2a22;--result:#7db4f5}}
.drawing{overflow:auto;max-height:85vh;margin:12px 0;border:1px solid var(--line);border-radius:10px}
.drawing svg{display:block;margin:0 auto;font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.drawing text{font-size:11px;text-anchor:middle;fill:var(--ink)} .drawing text.small{fill:var(--soft)}
.drawing rect{fill:var(--card);stroke:var(--edge)} .edges path{fill:none;stroke:var(--edge);stroke-width:1}
.input rect{fill:var(--input)} .parameter rect,.optimizer rect,.buffer rect{fill:var(--state)} .scalar rect{fill:var(--number)} .random rect{fill:var(--random)}
.matmul rect,.gather rect,.scatter rect,.reduce rect{fill:var(--heavy)} .result rect{stroke:var(--result);stroke-width:2} .other rect{stroke-dasharray:3 2}`;

/** What the boxes' colours mean, as HTML. */
export const drawingKey = [
  ["--input", "input"],
  ["--state", "parameter, state"],
  ["--number", "number of the step"],
  ["--random", "draws"],
  ["--heavy", "product, reduction, index"],
  ["--card", "elementwise, movement"],
]
  .map(([colour, text]) => `<span style="background: var(${colour})">${text}</span>`)
  .join("");
