// The page of several runs.
import { escapeHtml, htmlPage } from "./html.ts";
import type { Results } from "./results.ts";

/** The page's text. */
export function renderResults(results: Results, title: string): string {
  return htmlPage({ title, style: "", body: `<h1>${escapeHtml(title)}</h1><p>${results.runs.length} runs</p>` });
}
