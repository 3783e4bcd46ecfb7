// Tables as text.

/** A table's rows as lines of equal columns, two blanks apart: the first `left` columns to the left, the others to the right. */
export function alignedLines(rows: readonly (readonly string[])[], left: number): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const cell = (text: string, i: number) => (i < left ? text.padEnd(widths[i]) : text.padStart(widths[i]));
  return rows.map((row) => row.map(cell).join("  ").trimEnd());
}
