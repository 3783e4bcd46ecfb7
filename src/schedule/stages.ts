// Long expressions in stages: a loop over a few hundred elements a stage, with what later stages need in scratch memory. One long chain of
// operations leaves a processor waiting for each one's result; several short ones of neighbouring elements overlap. Which operations an
// element takes, and their order, stay as they were.
import { children, type Expr, input, type ScalarType, topological } from "../../kernels/expr.ts";

/** What one loop computes: values for later ones by slot; the last one the body itself, slot −1. */
export interface Stage {
  readonly roots: readonly { readonly body: Expr; readonly slot: number }[];
}

export interface Stages {
  readonly stages: readonly Stage[];
  /** The type each slot holds. */
  readonly slots: readonly ScalarType[];
  readonly detour?: Detour;
}

/** Stages [first, end) are one side of a choice: they are needed only where the condition, in a slot, is `side`. */
export interface Detour {
  readonly first: number;
  readonly end: number;
  readonly condition: number;
  readonly side: boolean;
  /** The slots that they read, beside their own. */
  readonly takes: readonly number[];
  /** The slot that holds what they give. */
  readonly gives: number;
}

/** Elements of a strip: what waits between stages stays in the first cache. */
export const strip = 256;
/** Vectors a round of a stage: the loop's own cost is shared between them. */
export const stripUnroll = 2;

/** Below so many operations an expression stays whole. */
const worthwhile = 20;
/** A stage of this many operations costs as much as one value more that goes through memory … */
const comfortable = 5;
/** One side of a choice is worth a way of its own from so many operations on, if it needs few values. */
const longSide = 24;
const fewValues = 2;

/** Distinct operations, operands first; a choice's condition last, so that it isn't kept for long. */
function operationsOf(body: Expr): Expr[] {
  const order: Expr[] = [];
  const seen = new Set<Expr>();
  const visit = (expr: Expr) => {
    if (seen.has(expr)) return;
    seen.add(expr);
    const parts = children(expr);
    for (const child of expr.kind === "select" ? [expr.yes, expr.no, expr.condition] : parts) visit(child);
    if (parts.length > 0) order.push(expr);
  };
  visit(body);
  return order;
}

/** A side of a choice that nothing else needs. */
interface Side {
  readonly root: Expr;
  readonly condition: Expr;
  readonly side: boolean;
  readonly own: ReadonlySet<Expr>;
  /** What its operations start from. */
  readonly takes: readonly Expr[];
}

/** The longest side of a choice that is worth a way of its own. */
function longestSide(body: Expr, order: readonly Expr[], cost: (expr: Expr) => number): Side | undefined {
  let found: Side | undefined;
  for (const choice of order) {
    if (choice.kind !== "select" || children(choice.condition).length === 0) continue;
    for (const side of [true, false]) {
      const [root, other] = side ? [choice.yes, choice.no] : [choice.no, choice.yes];
      const others = new Set<Expr>();
      const visit = (expr: Expr) => {
        if (others.has(expr)) return;
        others.add(expr);
        for (const part of expr === choice ? [choice.condition, other] : children(expr)) visit(part);
      };
      visit(body);
      const own = new Set(operationsOf(root).filter((expr) => !others.has(expr)));
      if (!own.has(root) || own.size < Math.max(longSide, (found?.own.size ?? 0) + 1)) continue;
      const takes = new Set<Expr>();
      const take = (expr: Expr) => {
        if (own.has(expr) || expr.kind === "constant") return;
        if (expr.kind === "input" || cost(expr) > 2) takes.add(expr);
        else children(expr).forEach(take);
      };
      for (const expr of own) children(expr).forEach(take);
      if (takes.size <= fewValues) found = { root, condition: choice.condition, side, own, takes: [...takes] };
    }
  }
  return found;
}

/** The operations with a side's in one piece, and where that begins and ends: before it what doesn't need it, after it what does. */
function around(order: readonly Expr[], { root, own }: Side): { order: Expr[]; borders: [number, number] } {
  const after = new Set<Expr>();
  for (const expr of order) if (children(expr).some((part) => part === root || after.has(part))) after.add(expr);
  const before = order.filter((expr) => !own.has(expr) && !after.has(expr));
  const pieces = [before, order.filter((expr) => own.has(expr)), order.filter((expr) => after.has(expr))];
  return { order: pieces.flat(), borders: [before.length, before.length + own.size] };
}

/** The body in stages; null where it is short. Inputs from `firstSlot` on are the slots. */
export function stagesOf(body: Expr, firstSlot: number): Stages | null {
  const plain = operationsOf(body);
  const count = plain.length;
  if (count < worthwhile) return null;
  const cheap = new Map<Expr, number>();
  /** Operations it takes to compute a value anew, as far as that is few; 3 stands for more. */
  const cost = (expr: Expr): number => {
    const known = cheap.get(expr);
    if (known !== undefined) return known;
    const parts = children(expr);
    const own = parts.length === 0 ? 0 : Math.min(3, 1 + parts.reduce((sum, part) => sum + cost(part), 0));
    cheap.set(expr, own);
    return own;
  };
  // Whoever draws knows how often a side is taken; of other data nothing is known, and where they all take it the detour is lost time.
  const isDrawn = topological(body).some((expr) => expr.kind === "input" && expr.type === "uint32");
  const side = isDrawn ? longestSide(body, plain, cost) : undefined;
  const { order, borders } = side ? around(plain, side) : { order: plain, borders: [] as number[] };
  const place = new Map(order.map((expr, at) => [expr, at]));
  const lastUse = new Map<Expr, number>();
  order.forEach((expr, at) => {
    for (const child of children(expr)) lastUse.set(child, at);
  });
  const isKept = (expr: Expr, cut: number) => place.get(expr)! < cut && cost(expr) > 2 && lastUse.get(expr)! >= cut;
  const kept = (cut: number) => order.filter((expr) => isKept(expr, cut));
  // Where nothing is kept there is nothing to cut.
  const price = (cut: number) =>
    cut === count || borders.includes(cut)
      ? 0
      : kept(cut).reduce((sum, { type }) => sum + (type === "bool" ? 4 : 1), 0) || Infinity;
  const prices = Array.from({ length: count + 1 }, (_, cut) => price(cut));
  // The cheapest way to cut the first `at` operations, at the borders in any case.
  const best: { total: number; from: number }[] = [{ total: 0, from: 0 }];
  for (let at = 1; at <= count; at++) {
    let found = { total: Infinity, from: 0 };
    for (let from = Math.max(0, ...borders.filter((border) => border < at)); from < at; from++) {
      const length = (at - from) / comfortable;
      const total = best[from].total + length * length + prices[at];
      if (total < found.total) found = { total, from };
    }
    best.push(found);
  }
  const cuts: number[] = [];
  for (let at = count; at > 0; at = best[at].from) cuts.unshift(at);
  if (cuts.length < 2) return null;

  const slots: ScalarType[] = [];
  const stored = new Map<Expr, number>();
  /** What the stage that ends at the cut leaves for others. */
  const leaves = (cut: number): Expr[] => {
    const all = side && cut === borders[0] ? [...kept(cut), ...side.takes, side.condition] : kept(cut);
    return [...new Set(all)].filter((expr) => !stored.has(expr));
  };
  const stages = cuts.map((cut): Stage => {
    const targets = cut === count ? [body] : leaves(cut);
    const done = new Map<Expr, Expr>();
    const rewrite = (expr: Expr): Expr => {
      const known = done.get(expr);
      if (known) return known;
      const slot = stored.get(expr);
      let made = expr;
      if (slot !== undefined) {
        made = input(firstSlot + slot, expr.type);
      } else {
        switch (expr.kind) {
          case "unary":
            made = { ...expr, x: rewrite(expr.x) };
            break;
          case "binary":
          case "compare":
            made = { ...expr, a: rewrite(expr.a), b: rewrite(expr.b) };
            break;
          case "select":
            made = { ...expr, yes: rewrite(expr.yes), no: rewrite(expr.no), condition: rewrite(expr.condition) };
        }
      }
      done.set(expr, made);
      return made;
    };
    const roots = targets.map((expr) => ({ body: rewrite(expr), expr }));
    return {
      roots: roots.map(({ body: part, expr }) => {
        if (cut === count) return { body: part, slot: -1 };
        const slot = slots.push(expr.type) - 1;
        stored.set(expr, slot);
        return { body: part, slot };
      }),
    };
  });
  const detour: Detour | undefined = side && {
    first: cuts.indexOf(borders[0]) + 1,
    end: cuts.indexOf(borders[1]) + 1,
    condition: stored.get(side.condition)!,
    side: side.side,
    takes: side.takes.map((expr) => stored.get(expr)!),
    gives: stored.get(side.root)!,
  };
  return { stages, slots, detour };
}
