// Whether validation data number their classes and characters as the training data do.
import { ConfigError } from "../core/errors.ts";
import type { DataLoader } from "./loader.ts";

/** Throws ConfigError where validation images are of other classes than those that are trained on: the same number would mean another. */
export function checkSameClasses(training: DataLoader, validation: DataLoader): void {
  const [expected, got] = [training.classes, validation.classes].map((classes) => classes?.join(", "));
  if (expected === undefined || got === undefined || got === expected) return;
  throw new ConfigError({
    where: `loader ${validation.name}: classes`,
    problem: `not the classes of loader ${training.name}`,
    got,
    expected,
    hint: "give both the same list of classes",
  });
}

/** Throws ConfigError where a validation text numbers its characters otherwise than the training text: each is another file's. */
export function checkSameCharacters(training: DataLoader, validation: DataLoader): void {
  const [numbered, other] = [training.vocabulary?.characters, validation.vocabulary?.characters];
  if (!numbered || !other) return;
  const at = Array.from({ length: Math.max(numbered.length, other.length) }, (_, i) => i).find(
    (i) => numbered[i] !== other[i],
  );
  if (at === undefined) return;
  const shown = (character: string | undefined) =>
    character === undefined ? "no character" : JSON.stringify(character);
  throw new ConfigError({
    where: `loader ${validation.name}: vocabulary`,
    problem: `its numbers stand for other characters than those of loader ${training.name}`,
    got: `${shown(other[at])} as number ${at}`,
    expected: shown(numbered[at]),
    hint: "validate on a split of the same text",
  });
}
