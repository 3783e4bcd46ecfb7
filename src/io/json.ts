// What JSON.parse doesn't say: whether a text names a key twice, or nests deeper than those who walk its values can follow. It knows nothing of what
// the text means.

/** How deep lists and records of a file may nest: what a run's files hold takes a fraction of it. */
const deepest = 64;

const tokens = (): RegExp => /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]/g;

/** The value of a JSON text out of a file. Throws SyntaxError for what isn't JSON, is nested deeper than 64 levels, or has a key `__proto__`. */
export function parseFileJson(text: string): unknown {
  checkNesting(text);
  return JSON.parse(text, (key, value) => {
    if (key === "__proto__") throw new SyntaxError("a key is named __proto__");
    return value;
  });
}

/** Throws SyntaxError where a JSON text is nested deeper than 64 levels. */
export function checkNesting(text: string): void {
  const token = tokens();
  let depth = 0;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [piece] = match;
    if (piece === "{" || piece === "[") depth++;
    else if (piece === "}" || piece === "]") depth--;
    if (depth > deepest) throw new SyntaxError(`nested deeper than ${deepest} levels at character ${match.index}`);
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
  const token = tokens();
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const piece = match[0];
    const scope = scopes.at(-1);
    if (piece === "{") scopes.push({ keys: new Set(), keyNext: true });
    else if (piece === "[") scopes.push({ keys: null, keyNext: false });
    else if (piece === "}" || piece === "]") scopes.pop();
    else if (piece === ",") {
      if (scope) scope.keyNext = scope.keys !== null;
    } else if (scope?.keys && scope.keyNext) {
      const key = JSON.parse(piece) as string;
      if (scope.keys.has(key)) return { key, at: match.index };
      scope.keys.add(key);
      scope.keyNext = false;
    }
  }
  return undefined;
}
