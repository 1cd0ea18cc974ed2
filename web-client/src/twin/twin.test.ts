import { describe, expect, test, vi } from 'vitest';
import type { TwinEntity } from '../api/index.ts';
import { Texts } from '../i18n/texts.ts';
import { briefOf, measuresOf, measureText, ownIdOf, rowsOf, subtitleOf, titleOf, updatedAt } from './describe.ts';
import { around, holds, lineOf, middleOf, padded, positionOf } from './geometry.ts';
import { cityWideId, idParts } from './kinds.ts';
import { Pulse, Source } from './source.ts';
import { wantedFor } from './viewport.ts';

const texts = new Texts('en');

const sensor: TwinEntity = {
  id: 'sensor/centro/aq-1',
  kind: 'SENSOR',
  district: 'centro',
  fields: { sensorId: 'aq-1', type: 'air_quality', value: 41.25, unit: 'AQI', status: 'active', lastUpdated: '2026-01-05T00:00:00.000Z', location: { latitude: 42.35, longitude: 13.4 } },
};

const road: TwinEntity = {
  id: 'edge/E-1',
  kind: 'EDGE',
  fields: {
    edgeId: 'E-1',
    name: 'Via Roma',
    class: 'residential',
    length: 80.5,
    trafficConditions: { averageSpeed: 31.5, congestionLevel: 'severe' },
    geometry: { type: 'LineString', coordinates: [[13, 42], [13, 42.002], [13, 42.003]] },
  },
};

describe('an entity in words', () => {
  test('of a sensor', () => {
    expect([titleOf(sensor, texts), subtitleOf(sensor, texts)]).toEqual(['Air quality', 'Sensor · aq-1']);
    expect(rowsOf(sensor, texts)).toEqual([
      { label: 'Air quality', value: '41.3 AQI', chief: true },
      { label: 'Status', value: 'active', chief: false },
      { label: 'District', value: 'centro', chief: false },
    ]);
    expect(updatedAt(sensor)).toBe(Date.UTC(2026, 0, 5));
    expect(measureText(sensor, measuresOf('SENSOR')[0]!, 7, new Texts('de'))).toBe('7 AQI');
  });

  test('of a road', () => {
    expect([titleOf(road, texts), subtitleOf(road, texts), briefOf(road, texts)]).toEqual(['Via Roma', 'Road · Residential street · E-1', '31.5 km/h']);
    expect(rowsOf(road, texts)).toContainEqual({ label: 'Traffic', value: 'jammed', chief: false });
  });

  test('of what knows nothing of itself', () => {
    const bare: TwinEntity = { id: 'bus/a%2Fb', kind: 'BUS', fields: { speed: null, status: null, lastUpdated: null } };
    expect([titleOf(bare, texts), ownIdOf(bare), rowsOf(bare, texts), briefOf(bare, texts), updatedAt(bare)]).toEqual(['a/b', 'a/b', [], '', undefined]);
  });
});

describe('ids', () => {
  test('are read as they are written', () => {
    expect(idParts('sensor/centro%20storico/aq-1')).toEqual({ kind: 'SENSOR', district: 'centro storico', ownId: 'aq-1' });
    expect(idParts(cityWideId('BUS', 'a/b'))).toEqual({ kind: 'BUS', ownId: 'a/b' });
    for (const id of ['', 'bus', 'bus/', 'moon/1', 'bus/%']) expect(idParts(id)).toBeUndefined();
  });
});

describe('places', () => {
  test('of entities', () => {
    expect(positionOf(sensor)).toEqual([13.4, 42.35]);
    expect(positionOf(road)).toEqual([13, expect.closeTo(42.0015, 9)]);
    expect(positionOf({ ...sensor, fields: { location: null } })).toBeUndefined();
    expect(lineOf({ ...road, fields: { geometry: { type: 'Point', coordinates: [1, 2] } } })).toEqual([]);
    for (const coordinates of [undefined, 5, [5, 6], [null, [1, 2]], [[1, 2], ['3', '4']], [[1, 2], [3]]]) {
      expect(lineOf({ ...road, fields: { geometry: { type: 'LineString', coordinates } } })).toEqual([]);
    }
    expect(middleOf([[1, 2]])).toEqual([1, 2]);
  });

  test('of boxes', () => {
    const box = { north: 43, south: 42, east: 14, west: 13 };
    expect(padded(box, 0.5)).toEqual({ north: 43.5, south: 41.5, east: 14.5, west: 12.5 });
    expect(padded({ north: 85, south: -85, east: 180, west: -180 }, 1)).toEqual({ north: 90, south: -90, east: 180, west: -180 });
    expect(holds(box, around([13.5, 42.5]))).toBe(true);
    expect(holds(box, around([13, 42.5]))).toBe(false);
  });
});

describe('what is asked for', () => {
  const seen = { north: 42.4, south: 42.3, east: 13.5, west: 13.3 };
  const first = wantedFor(undefined, seen, 13.4, ['BUS']);

  test('is a little more than is seen', () => {
    expect(first.box).toEqual({ north: 42.415, south: 42.285, east: 13.53, west: 13.27 });
  });

  test('stays as long as it serves', () => {
    const moved = { north: 42.41, south: 42.31, east: 13.52, west: 13.32 };
    expect(wantedFor(first, moved, 13.9, ['BUS'])).toBe(first);
    expect(wantedFor(first, { ...moved, north: 42.42 }, 13.4, ['BUS'])).not.toBe(first);
    expect(wantedFor(first, moved, 14, ['BUS'])).not.toBe(first);
    expect(wantedFor(first, moved, 13.4, ['UNIT'])).not.toBe(first);
    expect(wantedFor(first, moved, 13.4, ['BUS', 'UNIT'])).not.toBe(first);
    expect(wantedFor(first, { north: 42.36, south: 42.34, east: 13.42, west: 13.38 }, 13.9, ['BUS'])).not.toBe(first);
  });
});

describe('sources', () => {
  test('tell of changes only', () => {
    const source = new Source(1);
    const heard = vi.fn();
    const stop = source.subscribe(heard);
    source.set(1);
    source.set(2);
    stop();
    source.set(3);
    expect(heard).toHaveBeenCalledTimes(1);
    expect(source.get()).toBe(3);
  });

  test('a pulse beats at once, then at most once per interval, and never loses the last', () => {
    vi.useFakeTimers();
    try {
      const pulse = new Pulse(1000);
      pulse.beat();
      vi.advanceTimersByTime(0);
      expect(pulse.get()).toBe(1);
      for (let i = 0; i < 50; i += 1) pulse.beat();
      vi.advanceTimersByTime(999);
      expect(pulse.get()).toBe(1);
      vi.advanceTimersByTime(1);
      expect(pulse.get()).toBe(2);
      vi.advanceTimersByTime(10_000);
      expect(pulse.get()).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });
});
