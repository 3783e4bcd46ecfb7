// YAML text as plain values, each with its place in the text. Positions come from the parser's own nodes; aliases and merge keys are followed
// within bounds; tags, several documents, duplicate keys and keys that aren't text are errors. It knows nothing of what the config means.
import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  Parser,
  visit as visitNodes,
} from "yaml";
import { ConfigError, type ConfigPosition } from "../../core/errors.ts";

/** A place in a value: keys and indices from the top. */
export type Path = readonly (string | number)[];

export interface YamlSource {
  /** Records, arrays, strings, booleans, null, and numbers; integers beyond 2⁵³ − 1 are bigint. */
  readonly value: unknown;
  /** Where the key of a path (or the item, in a list) begins; where there is none, its nearest parent. */
  keyPosition(path: Path): ConfigPosition;
  /** Where the value of a path begins. */
  valuePosition(path: Path): ConfigPosition;
  /** A scalar as it was written, without quotes; undefined if there is no scalar or it was quoted. */
  plainText(path: Path): string | undefined;
}

/** In characters. */
export const longestText = 1_000_000;
const deepest = 64;
const mostNodes = 20_000;

const keyOf = (path: Path) => JSON.stringify(path);

/** A path as people write it: `trainer.init.schedulers[0]`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? part : `${text}.${part}`;
  }, "");
}

/** Reads one YAML document. Throws ConfigError with `file`, line and column. */
export function parseYaml(text: string, file: string): YamlSource {
  const lines = new LineCounter();
  const at = (offset: number): ConfigPosition => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const fail = (
    offset: number,
    problem: string,
    path: Path = [],
    details: { got?: string; expected?: string; hint?: string } = {},
  ): never => {
    throw new ConfigError({ where: formatPath(path) || "config", problem, ...details, position: at(offset) });
  };
  if (text.length > longestText)
    fail(0, "the config is too long", [], { got: `${text.length} characters`, expected: `≤ ${longestText}` });
  checkDepth(text, (offset) => fail(offset, "nested too deeply", [], { expected: `at most ${deepest} levels` }));

  const composer = new Composer({
    intAsBigInt: true,
    merge: true,
    prettyErrors: false,
    stringKeys: false,
    // The parser's own check takes time that grows with the square of the keys; visitMap does it.
    uniqueKeys: false,
  });
  const invalid = (offset: number, message: string) => fail(offset, `not valid YAML: ${message.split("\n")[0]}`);
  // The parser would collect every error of a text, in time that grows with their square: the first one ends it.
  function* tokens(): Generator<CST.Token> {
    for (const token of new Parser(lines.addNewLine).parse(text)) {
      if (token.type === "error") invalid(token.offset, token.message);
      yield token;
    }
  }
  const documents = composer.compose(tokens(), true, text.length);
  const document = documents.next().value as Document.Parsed;
  for (const { message, pos } of [...document.errors, ...document.warnings]) invalid(pos[0], message);
  const second = documents.next();
  if (!second.done) invalid(second.value.range[0], "multiple documents in one file");

  const anchors = new Map<string, Node>();
  const targets = new Map<Node, Node | undefined>();
  visitNodes(document, {
    Node: (_key, node) => {
      if (isAlias(node)) targets.set(node, anchors.get(node.source));
      else if (node.anchor) anchors.set(node.anchor, node);
    },
  });

  const keys = new Map<string, number>();
  const values = new Map<string, number>();
  const plain = new Map<string, string>();
  let nodes = 0;

  const countNode = (offset: number, path: Path) => {
    if (++nodes > mostNodes)
      fail(offset, "too many values", path, {
        expected: `at most ${mostNodes}, aliases counted each time they are used`,
      });
  };

  const visit = (node: Node | null | undefined, path: Path, depth: number): unknown => {
    const offset = (node as ParsedNode | null)?.range?.[0] ?? values.get(keyOf(path.slice(0, -1))) ?? 0;
    if (!values.has(keyOf(path))) values.set(keyOf(path), offset);
    countNode(offset, path);
    if (depth > deepest) fail(offset, "nested too deeply", path, { expected: `at most ${deepest} levels` });
    if (isAlias(node)) {
      const target = targets.get(node);
      return target
        ? visit(target, path, depth + 1)
        : fail(offset, "an alias of nothing", path, { got: `*${node.source}` });
    }
    const tag = (node as { tag?: string } | null)?.tag;
    if (tag !== undefined) fail(offset, "tags aren't used in configs", path, { got: tag });
    if (isMap(node)) return visitMap(node.items, path, depth, Object.create(null));
    if (isSeq(node)) {
      return node.items.map((item, i) => {
        const itemPath = [...path, i];
        keys.set(keyOf(itemPath), (item as ParsedNode | null)?.range?.[0] ?? offset);
        return visit(item as Node, itemPath, depth + 1);
      });
    }
    if (!isScalar(node)) return null;
    if (node.type === "PLAIN" && node.source !== undefined) plain.set(keyOf(path), node.source);
    const { value } = node;
    return typeof value === "bigint" &&
      value <= BigInt(Number.MAX_SAFE_INTEGER) &&
      value >= BigInt(Number.MIN_SAFE_INTEGER)
      ? Number(value)
      : value;
  };

  const visitMap = (items: readonly unknown[], path: Path, depth: number, record: Record<string, unknown>) => {
    const merges: Node[] = [];
    const own = new Set<string>();
    for (const pair of items as { key: Node | null; value: Node | null }[]) {
      const { key, value } = pair;
      const offset = (key as ParsedNode | null)?.range?.[0] ?? 0;
      const source = isScalar(key) ? key.source : undefined;
      if (source === "<<" && (key as { type?: string }).type === "PLAIN") {
        merges.push(value as Node);
        continue;
      }
      const name =
        isScalar(key) && typeof key.value === "string"
          ? key.value
          : fail(offset, "a key that isn't text", path, { got: source ?? "a collection" });
      if (own.has(name)) fail(offset, "a key is given twice", path, { got: name, expected: "each key once" });
      own.add(name);
      if (Object.hasOwn(record, name) || name === "__proto__") {
        if (name === "__proto__") fail(offset, "unknown key", path, { got: name });
        countNode(offset, path);
        continue;
      }
      const childPath = [...path, name];
      keys.set(keyOf(childPath), offset);
      record[name] = visit(value, childPath, depth + 1);
    }
    for (const merge of merges) mergeInto(merge, path, depth, record);
    return record;
  };

  /** Keys of the merged maps that aren't there yet, the first map's first. */
  const mergeInto = (node: Node | null, path: Path, depth: number, record: Record<string, unknown>): void => {
    const target = isAlias(node) ? targets.get(node) : node;
    const offset = (node as ParsedNode | null)?.range?.[0] ?? 0;
    countNode(offset, path);
    if (depth > deepest) fail(offset, "nested too deeply", path);
    if (isSeq(target)) for (const item of target.items) mergeInto(item as Node, path, depth + 1, record);
    else if (isMap(target)) visitMap(target.items, path, depth + 1, record);
    else fail(offset, "a merge key takes a map or a list of maps", [...path, "<<"]);
  };

  const value = visit(document.contents, [], 0);
  const nearest = (table: ReadonlyMap<string, number>, path: Path): ConfigPosition => {
    for (let length = path.length; length >= 0; length--) {
      const offset = table.get(keyOf(path.slice(0, length))) ?? values.get(keyOf(path.slice(0, length)));
      if (offset !== undefined) return at(offset);
    }
    return at(0);
  };
  return {
    value,
    keyPosition: (path) => nearest(keys, path),
    valuePosition: (path) => nearest(values, path),
    plainText: (path) => plain.get(keyOf(path)),
  };
}

/**
 * Bounds nesting before the parser, which recurses: open brackets, and the levels that lines open by their indentation and by the indicators they begin with
 * (`- - a`, `? - a`). Both are counted generously, since a literal block may look like either.
 */
function checkDepth(text: string, tooDeep: (offset: number) => never): void {
  const lines: { indent: number; levels: number }[] = [];
  let total = 0;
  for (const { index, 0: line } of text.matchAll(/^[ \t]*(?:(?:[-?:]|[&!*][^\s]*)(?:[ \t]+|$))*/gm)) {
    const indent = line.length - line.trimStart().length;
    let levels = 1;
    for (const _ of line.matchAll(/(?<=^|\s)[-?:](?=\s|$)/g)) if (++levels > 4 * deepest) tooDeep(index);
    while (lines.length > 0 && lines[lines.length - 1].indent >= indent) total -= lines.pop()!.levels;
    lines.push({ indent, levels });
    total += levels;
    if (total > 4 * deepest) tooDeep(index);
  }
  let open = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === "[" || c === "{") {
      if (++open > 4 * deepest) tooDeep(i);
    } else if ((c === "]" || c === "}") && open > 0) open--;
  }
}
