// Lines at the bottom of a terminal that are drawn again and again, on stderr; what is written beside them stays above.
import { printable } from "../core/printable.ts";

/** Whether there is a terminal to draw on. */
export const isTerminal = (): boolean => process.stderr.isTTY === true;

/** How many lines a terminal has, and how long they are. */
const sizeOfTerminal = (): { rows: number; columns: number } => {
  const { rows = 24, columns = 80 } = process.stderr;
  return { rows, columns };
};

/** Lines that are fit for a terminal that has so many. */
export const mostLines = (): number => Math.max(4, sizeOfTerminal().rows - 2);

const shortened = (line: string, most: number): string => (line.length <= most ? line : `${line.slice(0, most - 1)}…`);

/** What is drawn. */
export class LiveLines {
  #drawn = 0;

  /** Puts these lines in place of those drawn before. */
  draw(lines: readonly string[]): void {
    const { columns } = sizeOfTerminal();
    const texts = lines.slice(0, mostLines()).map((line) => `${shortened(printable(line), columns - 1)}\u001b[K\n`);
    process.stderr.write(`${this.#up()}${texts.join("")}\u001b[J`);
    this.#drawn = texts.length;
  }

  /** Writes a line that stays. */
  line(text: string): void {
    process.stderr.write(`${this.#up()}${printable(text)}\u001b[K\n\u001b[J`);
    this.#drawn = 0;
  }

  #up(): string {
    return this.#drawn > 0 ? `\u001b[${this.#drawn}A` : "";
  }
}
