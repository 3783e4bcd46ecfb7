// Whether a model and the texts that it is given agree on what the numbers of tokens are: told before anything runs, and not by an index out
// of range at some step.
import { ConfigError } from "../core/errors.ts";
import type { DataLoader } from "../data/loader.ts";
import { placeOf } from "./config/parse.ts";
import type { TrainerView } from "./contract.ts";

/**
 * Throws ConfigError where a loader's text has more characters than the model's vocabulary, at the model's line where a config came from YAML. A vocabulary may be
 * larger than the text's. A model or loader that states none isn't checked.
 */
export function checkVocabulary({ model, options }: TrainerView, loader: DataLoader): void {
  const wanted = loader.vocabulary?.size;
  if (wanted === undefined || model.vocabulary === undefined || model.vocabulary >= wanted) return;
  const place = options.config && placeOf(options.config, ["trainer", "init", "model", "vocabulary"]);
  throw new ConfigError({
    where: "model.vocabulary",
    ...place,
    problem: "smaller than the text's",
    got: String(model.vocabulary),
    expected: `at least ${wanted}, the different characters of loader ${loader.name}`,
    hint: `vocabulary: ${wanted}`,
  });
}
