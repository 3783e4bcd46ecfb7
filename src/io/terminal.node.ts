// The terminal where there is one (Node, Bun, Deno), behind the condition `#terminal`: lines and a progress bar, both on stderr.
import { printableMessage } from "../core/printable.ts";
import { now } from "../runtime/clock.ts";

/** A progress bar that lines can be written above. */
export interface ProgressBar {
  update(value: number, texts: Readonly<Record<string, string>>): void;
  /** Writes a line above the bar. */
  line(text: string): void;
  stop(): void;
}

let surviving = false;

/** From here on a reader of stdout or stderr that goes away (a closed pipe, a closed terminal) doesn't end the process: what is written is lost, the run isn't. */
export function surviveClosedOutput(): void {
  if (surviving) return;
  surviving = true;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (!["EPIPE", "EIO", "ERR_STREAM_DESTROYED"].includes(error.code ?? "")) throw error;
    });
  }
}

/** Seconds between two drawings. */
const interval = 0.1;

/** A bar from `start` to `total`, or undefined where stderr is no terminal. Format names in braces are the texts given to `update`. */
export async function openProgressBar(total: number, start: number, format: string): Promise<ProgressBar | undefined> {
  surviveClosedOutput();
  if (!process.stderr.isTTY) return undefined;
  const { MultiBar, Presets } = await import("cli-progress");
  // Ctrl-C stays the process's own affair: the package's handler would swallow it.
  const bars = new MultiBar(
    { format, stream: process.stderr, barsize: 10, gracefulExit: false },
    Presets.shades_classic,
  );
  const bar = bars.create(total, start, {});
  let drawn = now();
  // Drawn by hand: steps that never wait leave the package's timers no turn.
  const draw = () => {
    bars.update();
    drawn = now();
  };
  return {
    update(value, texts) {
      bar.update(value, texts);
      if (now() - drawn >= interval) draw();
    },
    line(text) {
      bars.log(`${printableMessage(text)}\n`);
      draw();
    },
    stop() {
      draw();
      bars.stop();
    },
  };
}

/** Writes a line to stderr. */
export function writeLine(text: string): void {
  surviveClosedOutput();
  process.stderr.write(`${printableMessage(text)}\n`);
}
