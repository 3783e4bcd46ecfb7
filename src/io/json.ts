// What JSON.parse doesn't say: whether a text names a key twice. It knows nothing of what the text means.

interface Scope {
  /** The keys so far; null for an array. */
  keys: Set<string> | null;
  /** Whether the next string is a key. */
  keyNext: boolean;
}

/** The first key that an object in a valid JSON text names twice, and where its second naming begins (UTF-16 units from 0). */
export function repeatedKey(text: string): { key: string; at: number } | undefined {
  const scopes: Scope[] = [];
  const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]/g;
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
