import { expect, test } from 'vitest';
import { boxOf, viewOf } from './camera.ts';

const SIZE = { width: 1280, height: 800 };
const NONE = { top: 0, bottom: 0, left: 0, right: 0 };
const LAQUILA = { north: 42.378, south: 42.335, east: 13.484, west: 13.327 };

test('a view of a box shows all of it, and one side of it fits', () => {
  const shown = boxOf(viewOf(LAQUILA, SIZE, NONE), SIZE);
  expect(shown.east).toBeCloseTo(LAQUILA.east, 9);
  expect(shown.west).toBeCloseTo(LAQUILA.west, 9);
  expect(shown.north).toBeGreaterThan(LAQUILA.north);
  expect(shown.south).toBeLessThan(LAQUILA.south);
});

test('what panels cover is left free', () => {
  const shown = boxOf(viewOf(LAQUILA, SIZE, { top: 100, bottom: 60, left: 410, right: 60 }), SIZE);
  const pixel = (shown.east - shown.west) / SIZE.width;
  expect((LAQUILA.west - shown.west) / pixel).toBeCloseTo(410, 6);
  expect((shown.east - LAQUILA.east) / pixel).toBeCloseTo(60, 6);
  // 40 pixels more above than below; a pixel is so many degrees of longitude, and cos(latitude) as many of latitude.
  const [above, below] = [shown.north - LAQUILA.north, LAQUILA.south - shown.south];
  expect((above - below) / pixel / Math.cos((42.36 * Math.PI) / 180)).toBeCloseTo(40, 0);
});

test('a point is not looked at from nearer than one street', () => {
  const { zoom, centre } = viewOf({ north: 42.35, south: 42.35, east: 13.4, west: 13.4 }, SIZE, NONE);
  expect(zoom).toBe(17);
  expect(centre[0]).toBeCloseTo(13.4, 9);
  expect(centre[1]).toBeCloseTo(42.35, 9);
});
