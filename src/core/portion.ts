// A share of a whole, as people write it.

/** `share · whole`, which is the whole number where only the rounding of decimals keeps it from one: 0.29 · 100 is 29, and not the float64 below it. For whoever rounds it up or down. */
export function portion(share: number, whole: number): number {
  const product = share * whole;
  const nearest = Math.round(product);
  return Math.abs(product - nearest) <= whole * 2 ** -52 ? nearest : product;
}
