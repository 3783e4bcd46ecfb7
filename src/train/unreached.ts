// Parameters that no gradient reaches: a layer that was made and isn't called, say.
import type { Tensor } from "../tensor/tensor.ts";
import type { TrainerView } from "./contract.ts";

/** Whether a gradient is zeros since nothing depends on what it is of. */
export const isZero = ({ node: { op, attributes } }: Tensor): boolean => op === "full" && attributes.value === 0;

/** Warns of parameters that no gradient reaches, of each once. */
export function unreachedBy(trainer: TrainerView) {
  const told = new Set<string>();
  return {
    tell(names: readonly string[]): void {
      const fresh = names.filter((name) => !told.has(name));
      for (const name of fresh) told.add(name);
      if (fresh.length === 0) return;
      const text = `the loss doesn't depend on ${fresh.join(", ")}: a gradient of 0, so that weight decay alone moves them (nn.freeze leaves them out)`;
      trainer.message("warn", text);
    },
  };
}
