// A layered drawing of a directed graph without circles: each box below all that it reads, and right above the first that reads it; edges run through
// the layers between. Pure numbers in, numbers out; the same graph is drawn the same way every time.

/** A box to place. `from`: the boxes it reads, each before it in the list. */
export interface Box {
  readonly width: number;
  readonly height: number;
  readonly from: readonly number[];
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Top left corners, by box. */
  readonly boxes: readonly { readonly x: number; readonly y: number }[];
  /** From the lower edge of one box to the upper edge of another, as points. */
  readonly edges: readonly {
    readonly from: number;
    readonly to: number;
    readonly points: readonly (readonly [number, number])[];
  }[];
}

const gap = 14;
const layerGap = 26;
/** Room for an edge that passes through a layer. */
const passing = 6;

interface Item {
  /** A box's number; an edge that passes has none. */
  readonly box?: number;
  readonly layer: number;
  readonly width: number;
  readonly above: number[];
  readonly below: number[];
  x: number;
}

/** Places boxes and edges. */
export function layOut(boxes: readonly Box[]): Layout {
  const layers = layersOf(boxes);
  const items: Item[] = boxes.map(({ width }, box) => ({ box, layer: layers[box], width, above: [], below: [], x: 0 }));
  const chains: { from: number; to: number; through: number[] }[] = [];
  const link = (upper: number, lower: number) => {
    items[upper].below.push(lower);
    items[lower].above.push(upper);
  };
  boxes.forEach(({ from }, to) => {
    for (const source of new Set(from)) {
      const through: number[] = [];
      let last = source;
      for (let layer = layers[source] + 1; layer < layers[to]; layer++) {
        const next = items.push({ layer, width: passing, above: [], below: [], x: 0 }) - 1;
        link(last, next);
        through.push(next);
        last = next;
      }
      link(last, to);
      chains.push({ from: source, to, through });
    }
  });
  const rows: number[][] = Array.from({ length: Math.max(0, ...layers) + 1 }, () => []);
  items.forEach(({ layer }, i) => {
    rows[layer].push(i);
  });
  arrange(items, rows);

  const heights = rows.map((row) =>
    Math.max(0, ...row.map((i) => (items[i].box === undefined ? 0 : boxes[items[i].box!].height))),
  );
  const tops: number[] = [];
  let y = gap;
  for (const height of heights) {
    tops.push(y);
    y += height + layerGap;
  }
  const left = Math.min(0, ...items.map(({ x, width }) => x - width / 2));
  const right = Math.max(0, ...items.map(({ x, width }) => x + width / 2));
  const centre = (i: number) => items[i].x - left + gap;
  return {
    width: right - left + 2 * gap,
    height: y,
    boxes: boxes.map(({ width }, i) => ({ x: centre(i) - width / 2, y: tops[layers[i]] })),
    edges: chains.map(({ from, to, through }) => ({
      from,
      to,
      points: [
        [centre(from), tops[layers[from]] + boxes[from].height],
        ...through.map((i): [number, number] => [centre(i), tops[items[i].layer] + heights[items[i].layer] / 2]),
        [centre(to), tops[layers[to]]],
      ],
    })),
  };
}

function layersOf(boxes: readonly Box[]): number[] {
  const layers: number[] = [];
  boxes.forEach(({ from }, i) => {
    layers[i] = from.reduce((layer, source) => Math.max(layer, layers[source] + 1), 0);
  });
  const readers = boxes.map((): number[] => []);
  boxes.forEach(({ from }, i) => {
    for (const source of from) readers[source].push(i);
  });
  for (let i = boxes.length - 1; i >= 0; i--)
    if (readers[i].length > 0) layers[i] = Math.min(...readers[i].map((reader) => layers[reader])) - 1;
  return layers;
}

/** Orders each row by where its neighbours are, and moves items towards them, apart from each other. */
function arrange(items: Item[], rows: readonly number[][]): void {
  const middle = (neighbours: readonly number[], otherwise: number) =>
    neighbours.length === 0 ? otherwise : neighbours.reduce((sum, i) => sum + items[i].x, 0) / neighbours.length;
  const spread = (row: number[], wanted: ReadonlyMap<number, number>) => {
    row.sort((a, b) => wanted.get(a)! - wanted.get(b)! || a - b);
    // Blocks of items that touch: each as near as can be to where its items want to be.
    const blocks: { members: number[]; width: number; centre: number; wanted: number; weight: number }[] = [];
    for (const i of row) {
      const width = items[i].width + gap;
      blocks.push({ members: [i], width, centre: wanted.get(i)!, wanted: wanted.get(i)!, weight: 1 });
      for (;;) {
        const [a, b] = blocks.slice(-2);
        if (!b || a.centre + a.width / 2 <= b.centre - b.width / 2) break;
        const weight = a.weight + b.weight;
        // Where the joined block's centre would be if each half could keep its own.
        const joined = (a.weight * (a.wanted + b.width / 2) + b.weight * (b.wanted - a.width / 2)) / weight;
        blocks.splice(-2, 2, {
          members: [...a.members, ...b.members],
          width: a.width + b.width,
          centre: joined,
          wanted: joined,
          weight,
        });
      }
    }
    for (const { members, width, centre } of blocks) {
      let at = centre - width / 2;
      for (const i of members) {
        items[i].x = at + (items[i].width + gap) / 2;
        at += items[i].width + gap;
      }
    }
  };
  for (const row of rows) spread(row, new Map(row.map((i, n) => [i, n * 10])));
  for (let sweep = 0; sweep < 12; sweep++) {
    const down = sweep % 2 === 0;
    for (const row of down ? rows : [...rows].reverse())
      spread(row, new Map(row.map((i) => [i, middle(down ? items[i].above : items[i].below, items[i].x)])));
  }
}
