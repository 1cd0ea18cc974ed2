import { describe, expect, test } from 'vitest';
import { PointColumns, STRIDE } from './columns.ts';
import { latitudeOf, longitudeOf, mercatorX, mercatorY, metresPerPixel, TILE_SIZE } from './mercator.ts';

const origin = { x: mercatorX(13.4), y: mercatorY(42.35), time: 0 };
const at = (longitude: number, latitude: number, heading = 0) => ({ at: [longitude, latitude] as const, heading, sprite: 3 });

describe('Web Mercator', () => {
  test('there and back again', () => {
    expect(longitudeOf(mercatorX(13.4))).toBeCloseTo(13.4, 10);
    expect(latitudeOf(mercatorY(42.35))).toBeCloseTo(42.35, 10);
    expect(mercatorY(90)).toBeCloseTo(0, 6);
    expect(metresPerPixel(0, 0)).toBeCloseTo(78_271.5, 0);
  });
});

describe('points', () => {
  test('stand where they were put, to a hundredth of a pixel at the nearest zoom', () => {
    const columns = new PointColumns(origin, false);
    columns.set('sensor/a/1', at(13.512345, 42.412345), 0);
    const [longitude, latitude] = columns.place('sensor/a/1', 0)!.at;
    const pixels = TILE_SIZE * 2 ** 20;
    expect(Math.abs(mercatorX(longitude) - mercatorX(13.512345)) * pixels).toBeLessThan(0.02);
    expect(Math.abs(mercatorY(latitude) - mercatorY(42.412345)) * pixels).toBeLessThan(0.02);
  });

  test('stay packed when some leave', () => {
    const columns = new PointColumns(origin, false);
    for (let i = 0; i < 200; i += 1) columns.set(`sensor/a/${i}`, at(13.4 + i / 1000, 42.35), 0);
    columns.remove('sensor/a/0');
    columns.remove('sensor/a/0');
    columns.remove('sensor/a/150');
    expect(columns.count).toBe(198);
    expect(columns.place('sensor/a/0', 0)).toBeUndefined();
    expect(columns.place('sensor/a/199', 0)!.at[0]).toBeCloseTo(13.599, 4);
    expect(columns.place('sensor/a/198', 0)!.at[0]).toBeCloseTo(13.598, 4);
    expect(columns.ids()).toHaveLength(198);
  });

  test('are found by where they are seen', () => {
    const columns = new PointColumns(origin, true);
    columns.set('bus/1', at(13.4, 42.35), 0);
    columns.set('bus/2', at(13.41, 42.35), 0);
    expect(columns.nearest(mercatorX(13.4099), mercatorY(42.35), 1e-5, 0)?.id).toBe('bus/2');
    expect(columns.nearest(mercatorX(13.405), mercatorY(42.35), 1e-6, 0)).toBeUndefined();
  });

  test('say which rows are new for the graphics card', () => {
    const columns = new PointColumns(origin, false);
    columns.set('sensor/a/1', at(13.4, 42.35), 0);
    columns.set('sensor/a/2', at(13.4, 42.35), 0);
    columns.dirtyFrom = columns.dirtyTo = 0;
    columns.set('sensor/a/2', at(13.5, 42.35), 0);
    expect([columns.dirtyFrom, columns.dirtyTo]).toEqual([1, 2]);
    expect(columns.data.length % STRIDE).toBe(0);
  });
});

describe('what moves', () => {
  test('glides from where it is seen to where it is, and arrives when its next message is due', () => {
    const columns = new PointColumns(origin, true);
    columns.set('bus/1', at(13.4, 42.35), 0);
    columns.set('bus/1', at(13.401, 42.35), 5000);
    expect(columns.place('bus/1', 5000)!.at[0]).toBeCloseTo(13.4, 6);
    expect(columns.place('bus/1', 5500)!.at[0]).toBeCloseTo(13.4005, 6);
    // A second later it turns back half-way: no jump, and the pace is that of its messages.
    columns.set('bus/1', at(13.4, 42.35), 5500);
    expect(columns.place('bus/1', 5500)!.at[0]).toBeCloseTo(13.4005, 6);
    expect(columns.place('bus/1', 5750)!.at[0]).toBeCloseTo(13.40025, 6);
    expect(columns.place('bus/1', 60_000)!.at[0]).toBeCloseTo(13.4, 6);
  });

  test('never jumps more than 20 pixels from frame to frame between two positions a second apart', () => {
    const columns = new PointColumns(origin, true);
    const pixels = TILE_SIZE * 2 ** 16;
    let seen: number | undefined;
    let largest = 0;
    for (let ms = 0; ms < 20_000; ms += 16) {
      // 50 km/h to the east at zoom 16, told about once a second.
      if (ms % 1008 === 0) columns.set('bus/1', at(13.4 + ms * 1.7e-7, 42.35), ms);
      const x = mercatorX(columns.place('bus/1', ms)!.at[0]) * pixels;
      if (seen !== undefined) largest = Math.max(largest, Math.abs(x - seen));
      seen = x;
    }
    expect(largest).toBeGreaterThan(0);
    expect(largest).toBeLessThan(2);
  });

  test('turns the shorter way', () => {
    const columns = new PointColumns(origin, true);
    columns.set('bus/1', at(13.4, 42.35, 350), 0);
    columns.set('bus/1', at(13.401, 42.35, 10), 1000);
    const [heading, turn] = [columns.data[6], columns.data[7]];
    expect([heading, turn]).toEqual([350, 20]);
  });

  test('goes on gliding when a message tells of something else', () => {
    const columns = new PointColumns(origin, true);
    columns.set('bus/1', at(13.4, 42.35), 0);
    columns.set('bus/1', at(13.401, 42.35), 1000);
    columns.set('bus/1', at(13.401, 42.35), 1500);
    expect(columns.place('bus/1', 1500)!.at[0]).toBeCloseTo(13.4005, 6);
  });

  test('is put where it is after a leap, or where motion is not wanted', () => {
    const columns = new PointColumns(origin, true);
    columns.set('bus/1', at(13.4, 42.35), 0);
    columns.set('bus/1', at(14.4, 42.35), 1000);
    expect(columns.place('bus/1', 1000)!.at[0]).toBeCloseTo(14.4, 4);
    columns.set('bus/1', at(14.401, 42.35), 2000, true);
    expect(columns.place('bus/1', 2000)!.at[0]).toBeCloseTo(14.401, 4);
  });
});
