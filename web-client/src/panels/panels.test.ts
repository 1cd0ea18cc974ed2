import { describe, expect, test } from 'vitest';
import type { Kind, TwinEntity } from '../api/index.ts';
import { LOOKS, lookOf, SPRITES } from '../map/sprites.ts';
import { sizeOf } from '../map/overlay.ts';
import { openIncidents } from './IncidentPanel.tsx';
import { grouped } from './ListPanel.tsx';
import { oneOfEachStreet } from './SearchBox.tsx';
import { roundLength } from './MapChrome.tsx';

const made = (kind: Kind, ownId: string, fields: Record<string, unknown> = {}): TwinEntity => ({
  id: `${kind.toLowerCase()}/${ownId}`,
  kind,
  fields: { [`${kind.toLowerCase()}Id`]: ownId, ...fields },
});

describe('open incidents', () => {
  const emergencies = [
    made('INCIDENT', 'old', { severity: 'low', status: 'reported', reportedAt: '2026-01-05T00:00:00.000Z' }),
    made('INCIDENT', 'new', { severity: 'low', status: 'reported', reportedAt: '2026-01-05T00:01:00.000Z' }),
    made('INCIDENT', 'odd', { severity: null, status: null }),
    made('INCIDENT', 'bad', { severity: 'critical', status: 'in_progress', assignedUnits: ['u2'] }),
    made('INCIDENT', 'over', { severity: 'critical', status: 'resolved', assignedUnits: ['u3'] }),
    made('UNIT', 'u1', { assignedIncident: 'new' }),
    made('UNIT', 'u2'),
    made('UNIT', 'u3'),
  ];

  test('come worst first, then newest, with the units that either side names', () => {
    const { open, free } = openIncidents(emergencies);
    expect(open.map(({ incident, units }) => [incident.id, units.map(({ id }) => id)])).toEqual([
      ['incident/bad', ['unit/u2']],
      ['incident/new', ['unit/u1']],
      ['incident/old', []],
      ['incident/odd', []],
    ]);
    expect(free.map(({ id }) => id)).toEqual(['unit/u3']);
  });
});

test('the list finds by name, id and type, and groups by kind', () => {
  const entities = [made('BUS', 'bus-1'), made('STATION', 'st-1', { name: 'Bus Terminal' }), made('UNIT', 'u-1', { type: 'ambulance' })];
  expect(grouped(entities, ' BUS ').map(([kind, found]) => [kind, found.length])).toEqual([
    ['BUS', 1],
    ['STATION', 1],
  ]);
  expect(grouped(entities, 'ambul').map(([kind]) => kind)).toEqual(['UNIT']);
  expect(grouped(entities, '')).toHaveLength(3);
});

const found = (kind: Kind, ownId: string, name: string | null) => ({ id: ownId, kind, ownId, name, type: null, districtId: null, position: null });

test('a search shows each street once', () => {
  const all = [found('EDGE', 'E-1', 'Via Roma'), found('STATION', 's', 'Via Roma'), found('EDGE', 'E-2', 'Via Roma'), found('EDGE', 'E-3', null), found('EDGE', 'E-4', null)];
  expect(oneOfEachStreet(all).map(({ ownId }) => ownId)).toEqual(['E-1', 's', 'E-3', 'E-4']);
});

describe('icons', () => {
  test('there is one for whatever an entity says of itself', () => {
    const statuses = [undefined, null, 'active', 'inactive', 'maintenance', 'in_service', 'out_of_service', 'available', 'dispatched', 'on_scene', 'resolved', 'reported'];
    const looks = (['SENSOR', 'WEATHER_STATION', 'BUILDING', 'NODE', 'STATION'] as const).flatMap((kind) =>
      statuses.flatMap((status) => [0, 0.3, 1, 1.2, null].map((occupancyRate) => lookOf(kind, { status, occupancyRate, type: 'moon' }))),
    );
    for (const status of ['in_service', 'out_of_service', 'maintenance', null]) looks.push(lookOf('BUS', { status }));
    for (const status of ['available', 'dispatched', 'on_scene', null]) looks.push(lookOf('UNIT', { status, type: 'police' }), lookOf('UNIT', { status }));
    for (const severity of ['critical', 'high', 'medium', 'low', null]) looks.push(lookOf('INCIDENT', { severity }), lookOf('INCIDENT', { severity, status: 'resolved' }));
    for (const name of looks) expect(LOOKS.has(name), name).toBe(true);
    expect(SPRITES.size).toBe(LOOKS.size);
  });

  test('grow with the zoom', () => {
    const sizes = [5, 10, 11.5, 13, 14, 15.5, 17, 17.5, 20].map((zoom) => sizeOf('BUS', zoom));
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    expect([sizes[0], sizes.at(-1)]).toEqual([sizes[1], sizes.at(-2)]);
  });
});

test.each([[90, 50], [100, 100], [0.3, 0.2], [2300, 2000], [7, 5]])('a scale of at most %d is %d long', (most, length) => {
  expect(roundLength(most)).toBeCloseTo(length, 9);
});
