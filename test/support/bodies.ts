// What random programs hold programs of their own in: loops, functions on batches; and derivatives of what there is already.
import { batched } from "../../src/autograd/batch.ts";
import { gradients, pushforward } from "../../src/autograd/grad.ts";
import { makeSegment } from "../../src/autograd/segments.ts";
import { sizeOf } from "../../src/core/shape.ts";
import type { Node } from "../../src/graph/node.ts";
import { scanNodes } from "../../src/ops/scan.ts";
import { functions as f } from "./functions.ts";
import { any, attempt, float, floats, type Grow, of, one, type Pool, sized, smallShape, withAxis } from "./pool.ts";

/** Gradients of much are more than what they are of: no more elements than these. */
const mostElements = 200;

const loopsIn = ({ values }: Pool) => values.filter(({ op }) => op === "scan");

/** How many values a body has from outside. */
const outside = 4;

/** A few values more, in a body that begins with `given`, beside some of what is outside. */
function inside(pool: Pool, given: readonly Node[], grow: (pool: Pool) => readonly Node[]): Pool {
  const loops = loopsIn(pool);
  const earlier = any(loops.length > 0 ? { ...pool, values: loops } : pool);
  const values: Node[] = [pool.values[0], any(pool), any(pool), earlier, ...given];
  const within = { ...pool, values, depth: pool.depth + 1 };
  for (let i = 1 + pool.pick(3); i > 0; i--)
    values.push(...(attempt(() => grow(within)) ?? []).filter(({ shape }) => sizeOf(shape) <= mostElements));
  return within;
}

/** As a gradient's target must be. */
function smallFloat(pool: Pool): Node {
  const x = float(pool);
  return sizeOf(x.shape) <= mostElements ? x : sized(x, [mostElements]);
}

/** By name, where a body grows by `grow`. */
export function bodies(grow: (pool: Pool) => readonly Node[]) {
  return {
    loops: {
      /** Carries of several dtypes; what is next, and what is stacked, may be any value: another carry, a slice, something from outside. */
      scan(pool) {
        const { pick } = pool;
        // Most loops go along what an earlier loop came to, or along an axis of what there is, as it lies.
        const earlier = loopsIn(pool).filter(({ shape }) => shape.length > 0 && shape[0] > 1);
        const isLater = earlier.length > 0 && pick(3) > 0;
        const [along, axis] = isLater ? [one(pool, earlier), 0] : withAxis(pool);
        const isAlong = (isLater || pick(2) === 1) && along.shape[axis] < 7;
        const length = isAlong ? along.shape[axis] : one(pool, [2, 3, 1, 0, 4]);
        const carries = Array.from({ length: 1 + pick(3) }, () =>
          sized(of(pool, one(pool, ["float32", "float32", "int32", "bool"])), smallShape(pool)),
        );
        const stacks = Array.from({ length: pick(3) }, () => sized(any(pool), [length, ...smallShape(pool)]));
        if (isAlong) stacks.push(f.moveAxis(along, axis, 0));
        const ends = f.equal(f.remainder(f.arange(length), 2), 0);
        const truncated = pick(5) === 4 && !pool.derivable;
        const { carry, slices } = scanNodes(
          ({ carry, slices }) => {
            const held = truncated
              ? carry.map((x) => (x.dtype === "float32" ? f.where(slices[0], f.stopGradient(x), x) : x))
              : carry;
            const body = inside(pool, [...slices, ...held], grow);
            const next = carry.map((before) => {
              const which = pick(8);
              if (which === 0) return before;
              const x = sized(of(body, before.dtype), before.shape);
              if (which === 1 || x.dtype !== "float32") return x;
              if (which === 2) return f.tanh(x);
              // Most depends strongly on what a position is given: one that is given another's, or is left out, shows.
              const given = () => {
                const drawn = f.normal(before.shape);
                const by = one(pool, [...slices, any(pool), drawn, drawn]);
                return sized(f.cast(by, "float32"), before.shape);
              };
              return f.sin(f.add(f.mul(x, given()), f.mul(before, given())));
            });
            return { carry: next, slices: [...Array.from({ length: 1 + pick(2) }, () => any(body)), one(pool, next)] };
          },
          carries,
          [...(truncated ? [ends] : []), ...stacks],
          length,
          { reverse: pick(2) === 1, recompute: pick(2) === 1 },
        );
        return [...carry, ...slices];
      },
    },
    transformed: {
      batched(pool) {
        const size = pool.pick(4);
        const given = Array.from({ length: 1 + pool.pick(2) }, () => sized(any(pool), [size, ...smallShape(pool)]));
        return batched(size, given, (examples) => inside(pool, examples, grow).values.slice(outside + examples.length));
      },
      /** With respect to what the value may have been made of, or not; what is derived twice is so by another of these. */
      gradients(pool) {
        const y = smallFloat(pool);
        const wanted = Array.from({ length: 1 + pool.pick(2) }, () => smallFloat(pool));
        return gradients(y, wanted, floats(pool, y.shape));
      },
      "gradients in a function on a batch": (pool) => {
        const size = pool.pick(4);
        const given = sized(float(pool), [size, ...smallShape(pool)]);
        return batched(size, [given], ([example]) => {
          const body = inside(pool, [example], grow);
          const y = smallFloat(body);
          return gradients(y, [example], floats(body, y.shape));
        });
      },
      pushforward(pool) {
        const [x, y] = [smallFloat(pool), smallFloat(pool)];
        return pushforward([y], [x], [floats(pool, x.shape)]);
      },
      /** What is computed again for gradients. */
      segment(pool) {
        const x = any(pool);
        makeSegment([x], any(pool).id);
        return x;
      },
    },
  } satisfies Record<string, Record<string, Grow>>;
}
