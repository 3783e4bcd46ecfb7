// The terminal where there is one (Node, Bun, Deno), behind the condition `#terminal`: lines and a progress bar, both on stderr.
import { MultiBar, Presets, type SingleBar } from "cli-progress";

/** A progress bar that lines can be written above. */
export interface ProgressBar {
  update(value: number, texts: Readonly<Record<string, string>>): void;
  /** Writes a line above the bar. */
  line(text: string): void;
  stop(): void;
}

/** A bar from `start` to `total`, or undefined where stderr is no terminal. Format names in braces are the texts given to `update`. */
export function openProgressBar(total: number, start: number, format: string): ProgressBar | undefined {
  if (!process.stderr.isTTY) return undefined;
  const bars = new MultiBar(
    { format, stream: process.stderr, hideCursor: true, fps: 8, barsize: 28, etaBuffer: 200, clearOnComplete: false },
    Presets.shades_classic,
  );
  const bar: SingleBar = bars.create(total, start, {});
  return {
    update: (value, texts) => bar.update(value, texts),
    line: (text) => bars.log(`${text}\n`),
    stop: () => bars.stop(),
  };
}

/** Writes a line to stderr. */
export function writeLine(text: string): void {
  process.stderr.write(`${text}\n`);
}
