// Methods by the names that other libraries give them, so that a program without types is told ours. Pages that load families alone go without.
import { ConfigError, refuse } from "../core/errors.ts";
import { attach } from "./family.ts";
import { Tensor } from "./tensor.ts";

/** `theirs:ours`, of several that could be meant `theirs:ours|another`. */
const pairs =
  "absolute:abs amax:max amin:min argMax:argmax argMin:argmin asType:cast astype:cast bmm:matmul broadcast_to:broadcastTo clip:clamp dataSync:data arraySync:array detach:stopGradient divide:div eq:equal expand:broadcastTo float:cast floor_divide:floorDivide fmod:remainder ge:greaterEqual greater_equal:greaterEqual gt:greater half:roundTo indexSelect:take index_select:take int:cast isfinite:isFinite isinf:isInf isnan:isNaN le:lessEqual less_equal:lessEqual " +
  "logicalXor:notEqual logical_and:logicalAnd logical_not:logicalNot logical_or:logicalOr log_softmax:logSoftmax logsumexp:logSumExp long:cast lt:less matMul:matmul mm:matmul mod:remainder moveaxis:moveAxis movedim:moveAxis multiply:mul mv:matmul nan_to_num:nanToNum ne:notEqual negative:neg numpy:data permute:transpose power:pow ravel:flatten repeat:tile|repeatInterleave repeat_interleave:repeatInterleave scatter_reduce:scatterMax|scatterMin " +
  "subtract:sub swapaxes:swapAxes t:transpose take_along_dim:takeAlongAxis to:cast tolist:array topk:topK type:cast unbind:unstack unsqueeze:expandDims var:variance view:reshape";

/** What is to be written here, by others' names. */
export const renamed: ReadonlyMap<string, string> = new Map([
  ...pairs.split(" ").map((pair) => {
    const [theirs, ours] = pair.split(":");
    return [theirs, `x.${ours.replace("|", " or x.")}`] as const;
  }),
  ["toJSON", "await x.array(), which is what there is to write"],
  ["backward", "gradients(loss, parameters), or optimizer.minimize(loss)"],
  ...["indexAdd", "index_add"].map((name) => [name, "scatterAdd(indices, updates, axis, size), of one shape"] as const),
  ["masked_select", "x.at(...(await mask.nonzero()))"],
  ...["clone", "contiguous"].map((name) => [name, "x itself: a tensor never changes"] as const),
  ...["add_", "mul_", "copy_", "fill_", "zero_"].map((name) => [name, "v.assign(value) of a Variable"] as const),
  ["numel", "its property size"],
  ["dim", "its property rank"],
  ...["maskedFill", "masked_fill"].map((name) => [name, "where(mask, value, x)"] as const),
]);

/** What is to be read here, for others' properties: left undefined they would be no elements, no axes, no gradient. */
export const properties: ReadonlyMap<string, string> = new Map([
  ["length", "x.size, or of the first axis x.shape[0]; x.unstack() are its parts, await x.array() its numbers"],
  ["ndim", "x.rank"],
  ["T", "x.transpose()"],
  ["mT", "x.swapAxes()"],
  ["grad", "gradients(loss, [x])"],
  ["requires_grad", "gradients(loss, [x]) of any tensor x; nn.freeze(model, path) keeps a parameter as it is"],
]);

/** Has tensors refuse those names with ours. */
export function refuseRenamed(): void {
  for (const [name, ours] of renamed)
    attach(name, () => {
      refuse(ConfigError, name, "a tensor has no such method", undefined, ours);
    });
  for (const [name, ours] of properties) {
    const refused = (): never => refuse(ConfigError, name, "a tensor has no such property", undefined, ours);
    Object.defineProperty(Tensor.prototype, name, { configurable: true, get: refused, set: refused });
  }
}
