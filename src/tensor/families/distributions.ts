// Random numbers of other distributions than the uniform and the normal one, and random choices.
import { family } from "../family.ts";
import { others } from "../members/distributions.ts";

/** The functions of this family, by name. */
export const ops = family({}, others);

export const { exponential, gumbel, laplace, cauchy, logNormal, truncatedNormal } = ops;
export const { gamma, beta, dirichlet, poisson } = ops;
export const { categorical, choice, shuffle } = ops;
