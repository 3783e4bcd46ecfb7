// The page of src/page as `npm run demo:build` makes it, from memory, by its paths for servePages.
import { build } from "vite";
import { root } from "./sources.ts";

type Output = {
  readonly output: readonly ({ fileName: string; code: string } | { fileName: string; source: string | Uint8Array })[];
};

export async function demoPages(): Promise<Record<string, string | Uint8Array>> {
  const made = (await build({
    configFile: `${root}tools/demo.ts`,
    logLevel: "error",
    build: { write: false },
  })) as Output;
  return Object.fromEntries(made.output.map((file) => [`/${file.fileName}`, "code" in file ? file.code : file.source]));
}
