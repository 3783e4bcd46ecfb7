// The id of what every op means, to the last bit: arithmetic, orders, samplers, formulas, default inits. It is in every graph hash,
// manifest and checkpoint; under one id bits never change.

/** The id of the bits: two runs that were made under one id, seed and program are the same to the last bit. */
export const numericsId = "f32-strict/2";
