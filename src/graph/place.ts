// A node's site in words.
import type { Site } from "./site.ts";

/** A place in a program, as it is told. */
export interface Place {
  /** `file:line:column`. */
  readonly site?: string;
  /** What the node is for, where it isn't the forward pass: `gradient of matmul`, `adamW update of 0.weight`. */
  readonly role?: string;
  /** The part of the model that it is of: `layer 0 (Linear) of mlp`. */
  readonly part?: string;
}

/** All that is known of a site. */
export const placeOf = ({ origin: site, role, part }: Site): Place => ({
  ...(site && { site }),
  ...(role && { role }),
  ...(part && { part }),
});

/** A place for a reader: `gradient of matmul at model.ts:12:20, in layer 0 (Linear) of mlp`; undefined where nothing is known. */
export function showPlace({ site, role, part }: Place): string | undefined {
  const place = site && (role === undefined ? `made at ${site}` : `${role} at ${site}`);
  return [place ?? role, part && `in ${part}`].filter(Boolean).join(", ") || undefined;
}
