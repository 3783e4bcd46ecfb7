// Random numbers of other distributions than the uniform and the normal one, and random choices.
import { family } from "../family.ts";
import { others } from "../members/distributions.ts";

/** The functions of this family, by name. */
export const ops = family({}, others);

export const {
  beta,
  categorical,
  cauchy,
  choice,
  dirichlet,
  exponential,
  gamma,
  gumbel,
  laplace,
  logNormal,
  poisson,
  shuffle,
  truncatedNormal,
} = ops;
