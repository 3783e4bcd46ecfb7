// What a digest says: the published one, another, or one that nothing published can be compared with.
import type { Choice } from "./choice.ts";
import { publishedOf } from "./presets.ts";

/** `same`, `different`: beside the published digest. `alone`: there is none to compare with. */
export interface Verdict {
  readonly found: "same" | "different" | "alone";
  /** In a sentence, for a heading. */
  readonly words: string;
  /** What follows from it. */
  readonly more: string;
}

/** The digest that a run of a choice is to come to, or why none is comparable. */
export function expectedOf({ preset, seed, steps }: Choice): { readonly digest: string } | { readonly why: string } {
  const published = publishedOf(preset);
  if (!published) return { why: `No digest of ${preset} is published for this version's numerics.` };
  if (seed !== published.seed)
    return {
      why: `A digest is published for seed ${published.seed}; with seed ${seed} other random numbers are drawn.`,
    };
  if (steps !== undefined) return { why: "A digest is published for the whole training; this one is cut short." };
  return { digest: published.digest };
}

/** What to say of a run's digest. */
export function judge(choice: Choice, digest: string): Verdict {
  const expected = expectedOf(choice);
  if ("why" in expected) {
    const more = `${expected.why} Whoever opens this link, on any machine, gets the digest above.`;
    return { found: "alone", words: "Trained: this is your run’s digest", more };
  }
  if (digest === expected.digest) {
    const more = "Every weight, every loss and every random number of this run has the published bits.";
    return { found: "same", words: "Your machine got the same 64 digits", more };
  }
  const more =
    "Somewhere a bit differs. Save the run's folder, and compare it with another by “Compare two runs” below.";
  return { found: "different", words: "Your machine got other digits than the published ones", more };
}
