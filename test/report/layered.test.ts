// The drawing's laws on random graphs: boxes below what they read, none over another, edges from edge to edge.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Box, layOut } from "../../src/report/layered.ts";

const graphs = fc
  .array(fc.tuple(fc.integer({ min: 10, max: 120 }), fc.array(fc.nat(200), { maxLength: 3 })), { maxLength: 40 })
  .map((rows) =>
    rows.map(([width, from], i): Box => ({ width, height: 20, from: i === 0 ? [] : from.map((n) => n % i) })),
  );

test("boxes and edges", () => {
  fc.assert(
    fc.property(graphs, (boxes) => {
      const { width, height, boxes: at, edges } = layOut(boxes);
      expect(layOut(boxes)).toEqual(layOut(boxes));
      boxes.forEach((box, i) => {
        expect(at[i].x).toBeGreaterThanOrEqual(0);
        expect(at[i].x + box.width).toBeLessThanOrEqual(width + 1e-6);
        expect(at[i].y + box.height).toBeLessThanOrEqual(height);
        for (const source of box.from) expect(at[source].y + boxes[source].height).toBeLessThan(at[i].y);
        for (let other = 0; other < i; other++) {
          if (at[other].y !== at[i].y) continue;
          const apart = at[other].x >= at[i].x + box.width || at[i].x >= at[other].x + boxes[other].width;
          expect(apart).toBe(true);
        }
      });
      expect(edges.length).toBe(boxes.reduce((sum, { from }) => sum + new Set(from).size, 0));
      for (const { from, to, points } of edges) {
        const [first, last] = [points[0], points[points.length - 1]];
        expect(first[0]).toBeCloseTo(at[from].x + boxes[from].width / 2);
        expect(first[1]).toBe(at[from].y + boxes[from].height);
        expect(last[0]).toBeCloseTo(at[to].x + boxes[to].width / 2);
        expect(last[1]).toBe(at[to].y);
        points.slice(1).forEach(([, y], i) => {
          expect(y).toBeGreaterThan(points[i][1]);
        });
      }
    }),
    { numRuns: 200 },
  );
});
