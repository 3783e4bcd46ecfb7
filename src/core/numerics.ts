// The id of what every op means, to the last bit: arithmetic, orders, samplers, formulas, default inits. It is in every graph hash,
// manifest and checkpoint; under one id bits never change.

export const numericsId = "f32-strict/2";
