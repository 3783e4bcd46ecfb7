// The library as the compiler sees it, read once for all generated documentation.
import { fileURLToPath } from "node:url";
import ts from "typescript";

export const root = fileURLToPath(new URL("..", import.meta.url));

let program: ts.Program | undefined;

/** What may be read of: the package's entry, and what a config may name. */
export function sources(): ts.Program {
  program ??= ts.createProgram([`${root}src/train/config/families.ts`, `${root}src/index.ts`], {
    allowImportingTsExtensions: true,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    noEmit: true,
    strict: true,
    target: ts.ScriptTarget.ES2022,
    types: ["node"],
  });
  return program;
}

/** A symbol's documentation as one line. */
export function textOf(symbol: ts.Symbol): string {
  const text = symbol.getDocumentationComment(sources().getTypeChecker());
  return ts.displayPartsToString(text).replaceAll(/\s+/g, " ");
}

/** The first sentence of a text. */
export const firstSentence = (text: string): string => /^.*?\.(?=\s+[A-Z`]|$)/.exec(text)?.[0] ?? text;

/** A text as a cell of a table. */
export const cell = (text: string): string => text.replaceAll("|", "\\|");
