// A text that a language model writes once it is trained. Its draws are of the watching part of the stream: the run's stream stays where it is.
import type { HostArray } from "../../core/array.ts";
import { configured } from "../../core/configured.ts";
import { ConfigError, refuse } from "../../core/errors.ts";
import { countOf, countUpTo, type Given, options, positive, text } from "../../core/options.ts";
import { inEvaluation } from "../../nn/evaluation.ts";
import { type Compiled, compile } from "../../program/compiled.ts";
import { watchOffset } from "../../rng/regions.ts";
import { take } from "../../tensor/families/basic.ts";
import { categorical } from "../../tensor/families/distributions.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Callback, FitContext } from "../contract.ts";

const record = options("SampleText", {
  /** What the text begins with. */
  prompt: text.default("\n"),
  /** Tokens that are written after it, at most 65536. */
  length: countUpTo("tokens", 65536, "a longer text than anyone reads").default(300),
  /** Logits are divided by it: nearer to 0 the likeliest token comes, above 1 others come oftener. */
  temperature: positive.default(0.8),
  /** How many of the last tokens the model is shown. */
  context: countOf("tokens").default(64),
});
export type SampleTextOptions = Given<typeof record>;

/** What numbers of tokens stand for. */
interface Tokens {
  encode(text: string): ArrayLike<number>;
  decode(ids: number[]): string;
}

/** Tokens in a window [1, context], and which is the last: the next one. */
type Next = Compiled<[HostArray, HostArray], Tensor>;

/** After the last step shows a text, as a message and in the report. The model gives [batch, time, vocabulary], each time's outputs of the tokens up to it. */
export class SampleText extends configured(record) implements Callback {
  readonly changesTraining = false;
  #tokens: Tokens | undefined;

  onFitStart({ loader }: FitContext): void {
    const { vocabulary } = loader;
    if (typeof (vocabulary as Partial<Tokens> | undefined)?.decode !== "function") {
      const problem = "the training data are no text";
      refuse(ConfigError, "SampleText", problem, `loader ${loader.name}`, "a loader of a text, with its vocabulary");
    }
    this.#tokens = vocabulary as unknown as Tokens;
    this.#tokens.encode(this.options.prompt);
  }

  /** Traces what will run in the end, so that what doesn't fit is said at once. */
  async onTrainStart(context: FitContext): Promise<void> {
    const next = await this.#next(context);
    const { context: size } = this.options;
    await inEvaluation(context.trainer.model, () =>
      next.trace(int32(new Int32Array(size), [1, size]), int32([0], [1])),
    );
  }

  async onTrainEnd(context: FitContext): Promise<void> {
    const { trainer } = context;
    const { prompt, length, context: size } = this.options;
    const tokens = this.#tokens!;
    const ids = Array.from(tokens.encode(prompt));
    const next = await this.#next(context);
    let base = watchOffset;
    await inEvaluation(trainer.model, async () => {
      for (let i = 0; i < length; i++) {
        const shown = ids.slice(-size);
        const window = new Int32Array(size);
        window.set(shown);
        const { result, draws } = await next.execute([int32(window, [1, size]), int32([shown.length - 1], [1])], {
          base,
        });
        base += draws;
        ids.push((await result.data())[0]);
        result.dispose();
      }
    });
    const written = tokens.decode(ids);
    trainer.message("info", `SampleText: ${written}`);
    await trainer.logSample("text", { text: written });
  }

  async #next({ trainer }: FitContext): Promise<Next> {
    const { temperature, context: size } = this.options;
    const { model, stream } = trainer;
    const step = (window: HostArray, last: HostArray): Tensor => {
      const outputs = model.forward(window as unknown as Tensor) as Tensor;
      const rows = outputs.reshape([size, outputs.size / size]);
      return categorical(take(rows, last as unknown as Tensor).div(temperature));
    };
    return compile(step, { name: "text", state: model, stream, backend: await trainer.backend() });
  }
}

const int32 = (data: ArrayLike<number>, shape: readonly number[]): HostArray => ({
  data: Int32Array.from(data),
  dtype: "int32",
  shape,
});
