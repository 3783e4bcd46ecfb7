// What JSON.parse doesn't say: whether a text names a key twice, or nests deeper than those who walk its values can follow. It knows nothing of what
// the text means.

/** How deep lists and records of a file may nest: what a run's files hold takes a fraction of it. */
const deepest = 64;

/** Where the strings, brackets and commas of a text begin and end; a string that is never closed ends with the text. Not by a pattern: one that turns back takes the square of a hostile text's length. */
function* tokensOf(text: string): Generator<readonly [at: number, end: number]> {
  for (let at = 0; at < text.length; at++) {
    const end = text[at] === '"' ? stringEnd(text, at) : at + 1;
    if ('"{}[],'.includes(text[at])) yield [at, end];
    at = end - 1;
  }
}

/** Where the string that begins at a quote ends. */
function stringEnd(text: string, at: number): number {
  for (let quote = text.indexOf('"', at + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let before = quote;
    while (text[before - 1] === "\\") before--;
    if ((quote - before) % 2 === 0) return quote + 1;
  }
  return text.length;
}

/** The value of a JSON text out of a file. Throws SyntaxError for what isn't JSON, is nested deeper than 64 levels, has a key `__proto__`, or a number beyond float64, which would be infinite. */
export function parseFileJson(text: string): unknown {
  checkNesting(text);
  return JSON.parse(text, (key, value) => {
    if (key === "__proto__") throw new SyntaxError("a key is named __proto__");
    if (typeof value === "number" && !Number.isFinite(value)) throw new SyntaxError(`${key}: a number beyond float64`);
    return value;
  });
}

/** Throws SyntaxError where a JSON text is nested deeper than 64 levels. */
export function checkNesting(text: string): void {
  let depth = 0;
  for (const [at] of tokensOf(text)) {
    if (text[at] === "{" || text[at] === "[") depth++;
    else if (text[at] === "}" || text[at] === "]") depth--;
    if (depth > deepest) throw new SyntaxError(`nested deeper than ${deepest} levels at character ${at}`);
  }
}

interface Scope {
  /** The keys so far; null for an array. */
  keys: Set<string> | null;
  /** Whether the next string is a key. */
  keyNext: boolean;
}

/** The first key that an object in a valid JSON text names twice, and where its second naming begins (UTF-16 units from 0). */
export function repeatedKey(text: string): { key: string; at: number } | undefined {
  const scopes: Scope[] = [];
  for (const [at, end] of tokensOf(text)) {
    const piece = text.slice(at, end);
    const scope = scopes.at(-1);
    if (piece === "{") scopes.push({ keys: new Set(), keyNext: true });
    else if (piece === "[") scopes.push({ keys: null, keyNext: false });
    else if (piece === "}" || piece === "]") scopes.pop();
    else if (piece === ",") {
      if (scope) scope.keyNext = scope.keys !== null;
    } else if (scope?.keys && scope.keyNext) {
      const key = JSON.parse(piece) as string;
      if (scope.keys.has(key)) return { key, at };
      scope.keys.add(key);
      scope.keyNext = false;
    }
  }
  return undefined;
}
