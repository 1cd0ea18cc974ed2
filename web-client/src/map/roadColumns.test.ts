import { describe, expect, test } from 'vitest';
import type { Position } from '../twin/geometry.ts';
import { mercatorX, mercatorY, TILE_SIZE } from './mercator.ts';
import { BUSY, RANKS, rankOf, RoadColumns, STRIDE } from './roadColumns.ts';
import { penAt } from './roadLayer.ts';

const line = (...points: (readonly [number, number])[]): readonly Position[] => points;
const east = line([13.4, 42.35], [13.401, 42.35], [13.402, 42.35]);

// Without the sign of a zero.
const numbers = (column: Int8Array | Float32Array, from: number, to: number) => Array.from(column.subarray(from, to), (value) => value + 0);

/** What stands in a bucket, road by road: its level and where it begins, in degrees of longitude. */
const held = (columns: RoadColumns, rank: number) => {
  const bucket = columns.buckets[rank]!;
  bucket.pack();
  const rows = [...bucket.roads.values()].map(({ first, length }) => ({
    level: bucket.levels[first]!,
    length,
    from: (bucket.ways[first * STRIDE]! + columns.origin!.x) * 360 - 180,
  }));
  expect(rows.reduce((sum, { length }) => sum + length, 0)).toBe(bucket.count);
  expect(rows.reduce((sum, { length, level }) => sum + (level >= BUSY ? length : 0), 0)).toBe(bucket.busy);
  return rows;
};

describe('roads in columns', () => {
  test('are a row for each stretch, at the right end of which the next one begins', () => {
    const columns = new RoadColumns();
    columns.set('edge/1', line([13.4, 42.35], [13.41, 42.35], [13.41, 42.34]), 3, 1);
    const { ways, levels, count } = columns.buckets[3]!;
    expect(count).toBe(2);
    expect(numbers(levels, 0, 2)).toEqual([1, 1]);
    expect(numbers(ways, 2, 4)).toEqual(numbers(ways, STRIDE, STRIDE + 2));
    expect(ways[2]! + columns.origin!.x).toBeCloseTo(mercatorX(13.41), 10);
    expect(ways[STRIDE + 3]! + columns.origin!.y).toBeCloseTo(mercatorY(42.34), 10);
    // To the east, then to the south: south is to the right, then west, and between both the corner.
    expect(numbers(ways, 4, STRIDE)).toEqual([0, 1, -1, 1]);
    expect(numbers(ways, STRIDE + 4, 2 * STRIDE)).toEqual([-1, 1, -1, 0]);
  });

  test('turn back without a point that leads far away', () => {
    const columns = new RoadColumns();
    columns.set('edge/1', line([13.4, 42.35], [13.41, 42.35], [13.4, 42.35], [13.4, 42.35]), 0, -1);
    expect(columns.buckets[0]!.ways.subarray(0, 3 * STRIDE).every((value) => Math.abs(value) <= 1)).toBe(true);
  });

  test('are no roads with less than two points', () => {
    const columns = new RoadColumns();
    columns.set('edge/1', east, 2, 0);
    columns.set('edge/1', line([13.4, 42.35]), 2, 0);
    expect([columns.has('edge/1'), columns.count, held(columns, 2)]).toEqual([false, 0, []]);
  });

  test('take no more room for coming and going while nobody looks', () => {
    const columns = new RoadColumns();
    for (let round = 0; round < 1000; round += 1) for (let i = 0; i < 100; i += 1) columns.set(`edge/${i}`, east, 3, i % 4);
    expect(columns.buckets[3]!.levels.length).toBe(512);
    expect(held(columns, 3)).toHaveLength(100);
  });

  test('change colour without a new geometry', () => {
    const columns = new RoadColumns();
    columns.set('edge/1', east, 1, 0);
    const bucket = columns.buckets[1]!;
    [bucket.moved, bucket.coloured] = [false, false];
    expect(columns.colour('edge/1', 0)).toBe(false);
    expect(columns.colour('edge/2', 3)).toBe(false);
    expect(bucket.coloured).toBe(false);
    expect(columns.colour('edge/1', 3)).toBe(true);
    expect([bucket.moved, bucket.coloured]).toEqual([false, true]);
    expect(held(columns, 1)).toMatchObject([{ level: 3, length: 2 }]);
  });

  test('hold what was put there, whatever comes and goes', () => {
    const columns = new RoadColumns();
    const wanted = new Map<string, { rank: number; level: number; from: number; length: number }>();
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (let step = 0; step < 3000; step += 1) {
      const id = `edge/${random(60)}`;
      const [rank, level] = [RANKS[random(4)]!, random(5) - 1];
      const known = wanted.get(id);
      const act = random(4);
      if (act === 0) {
        expect(columns.remove(id)).toBe(wanted.delete(id));
      } else if (act === 1 && known) {
        columns.colour(id, level);
        wanted.set(id, { ...known, level });
      } else {
        const [from, length] = [13.4 + step / 1e5, 1 + random(5)];
        columns.set(id, Array.from({ length: length + 1 }, (_, i) => [from + i / 1000, 42.35] as const), rank, level);
        wanted.delete(id);
        wanted.set(id, { rank, level, from, length });
      }
      if (step % 10 > 0) continue;
      expect(columns.count).toBe(wanted.size);
      for (const each of RANKS) {
        const expected = [...wanted.values()].filter((road) => road.rank === each);
        const found = held(columns, each);
        expect(found.map(({ level: is, length }) => [is, length])).toEqual(expected.map(({ level: is, length }) => [is, length]));
        for (const [i, { from }] of found.entries()) expect(from).toBeCloseTo(expected[i]!.from, 6);
      }
    }
  });
});

describe('under the pointer', () => {
  const camera = { centre: [13.4, 42.35] as const, zoom: 16, width: 800, height: 600 };
  const pixel = 360 / (TILE_SIZE * 2 ** camera.zoom);
  const columns = new RoadColumns();
  // Both directions of a street, and one beside it.
  columns.set('edge/east', line([13.399, 42.35], [13.401, 42.35]), 3, 0);
  columns.set('edge/west', line([13.401, 42.35], [13.399, 42.35]), 3, 0);
  columns.set('edge/south', line([13.4 + 30 * pixel, 42.35], [13.4 + 30 * pixel, 42.34]), 0, 0);

  test('is the road whose edge is nearest, on the side on which it is drawn', () => {
    const { offset } = penAt(camera.zoom, 3);
    expect(offset).toBeGreaterThan(1);
    expect(columns.nearest({ x: 400, y: 300 + offset }, camera, 4, penAt)).toBe('edge/east');
    expect(columns.nearest({ x: 400, y: 300 - offset }, camera, 4, penAt)).toBe('edge/west');
    expect(columns.nearest({ x: 430, y: 330 }, camera, 4, penAt)).toBe('edge/south');
  });

  test('is the one that is drawn above the others', () => {
    const street = new RoadColumns();
    const far = { ...camera, zoom: 13 };
    for (const id of ['edge/first', 'edge/jammed', 'edge/last']) street.set(id, line([13.399, 42.35], [13.401, 42.35]), 2, id === 'edge/jammed' ? 3 : 0);
    expect(street.nearest({ x: 400, y: 300 }, far, 4, penAt)).toBe('edge/jammed');
    street.colour('edge/jammed', 0);
    expect(street.nearest({ x: 400, y: 300 }, far, 4, penAt)).toBe('edge/last');
    street.set('edge/main', line([13.4, 42.351], [13.4, 42.349]), 0, 0);
    expect(street.nearest({ x: 400, y: 300 }, far, 4, penAt)).toBe('edge/main');
    // A jammed one is wider.
    street.colour('edge/first', 3);
    const { width } = penAt(13, 2);
    expect(street.nearest({ x: 392, y: 300 + width * 0.6 + 3.95 }, far, 4, penAt)).toBe('edge/first');
  });

  test('is none where none is near', () => {
    const { width, offset } = penAt(camera.zoom, 3);
    expect(columns.nearest({ x: 390, y: 300 + offset + width / 2 + 3.5 }, camera, 4, penAt)).toBe('edge/east');
    expect(columns.nearest({ x: 390, y: 300 + offset + width / 2 + 4.5 }, camera, 4, penAt)).toBeUndefined();
    expect(new RoadColumns().nearest({ x: 400, y: 300 }, camera, 4, penAt)).toBeUndefined();
  });
});

describe('how wide a road is', () => {
  test('grows with the zoom, and is less for lesser ones', () => {
    for (const rank of RANKS) {
      const widths = [5, 10, 11.5, 13, 14.2, 15, 17, 18, 20].map((zoom) => penAt(zoom, rank).width);
      expect(widths).toEqual(widths.toSorted((a, b) => a - b));
      expect(widths[0]).toBe(widths[1]);
      expect(widths.at(-1)).toBe(widths.at(-2));
      if (rank > 0) expect(penAt(14, rank).width).toBeLessThan(penAt(14, RANKS[rank - 1]!).width);
    }
    expect([penAt(13, 0), penAt(18, 3)]).toEqual([
      { width: 3.2, offset: 0 },
      { width: 7.5, offset: 4.6 },
    ]);
  });

  test('two directions do not lie on each other where there is room', () => {
    for (const rank of RANKS) expect(2 * penAt(18, rank).offset).toBeGreaterThan(penAt(18, rank).width);
  });

  test('goes by its class, links as what they lead to', () => {
    expect(['motorway_link', 'primary', 'secondary', 'tertiary', 'service', undefined].map(rankOf)).toEqual([0, 0, 1, 2, 3, 3]);
  });
});
