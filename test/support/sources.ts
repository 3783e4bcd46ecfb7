// The project's own source files, for tests that hold laws about the text itself.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

export interface Source {
  /** Path from the root, with slashes. */
  readonly path: string;
  readonly text: string;
  /** Module specifiers of imports that remain at run time, and of type-only ones. */
  readonly imports: readonly { readonly from: string; readonly typeOnly: boolean }[];
}

/** All .ts files below the folders. */
export function sources(...folders: string[]): Source[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".d.ts"))
      .map((entry) => {
        const file = join(entry.parentPath, entry.name);
        const text = readFileSync(file, "utf8");
        return { path: relative(root, file).replaceAll("\\", "/"), text, imports: importsOf(text) };
      }),
  );
}

function importsOf(text: string): { from: string; typeOnly: boolean }[] {
  const found: { from: string; typeOnly: boolean }[] = [];
  for (const match of text.matchAll(/^(?:import|export)\s+(type\s+)?([^;"']*?\sfrom\s+)?["']([^"']+)["'];?$/gm)) {
    if (match[2] === undefined && !text.slice(match.index).startsWith("import")) continue;
    found.push({ from: match[3], typeOnly: match[1] !== undefined });
  }
  for (const match of text.matchAll(/\bimport\(\s*["']([^"']+)["']\s*\)/g))
    found.push({ from: match[1], typeOnly: false });
  return found;
}

/** The text without comments: what laws about code read. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:"'`])\/\/.*$/gm, "$1");
}
