import { describe, expect, test } from 'vitest';
import { type Batch, partsOf, TwinStore } from './store.ts';

type Change = Batch['changes'][number];

const entered = (id: string, patch: object = {}): Change => ({ kind: 'ENTERED', id, reason: null, patch });
const updated = (id: string, patch: object): Change => ({ kind: 'UPDATED', id, reason: null, patch });
const left = (id: string, reason: 'MOVED_OUT' | 'REMOVED' = 'REMOVED'): Change => ({ kind: 'LEFT', id, reason, patch: null });

const batch = (changes: Change[], rest: Partial<Batch> = {}): Batch => ({
  cursor: 'c',
  subscription: 's',
  viewport: 0,
  mode: 'ENTITIES',
  snapshot: false,
  complete: true,
  reason: null,
  cells: [],
  changes,
  ...rest,
});

const snapshot = (changes: Change[], rest: Partial<Batch> = {}) => batch(changes, { snapshot: true, reason: 'START', ...rest });

const cell = (id: string, count: number): Batch['cells'][number] => ({
  id,
  north: 1,
  south: 0,
  east: 1,
  west: 0,
  count,
  groups: count ? [{ kind: 'BUS', type: null, count, measure: 'speed', mean: 20 }] : [],
});

const ids = (store: TwinStore) => [...store.entities.keys()].toSorted();

describe('a store', () => {
  test('holds what entered, as it was last updated, until it leaves', () => {
    const store = new TwinStore();
    store.apply(snapshot([entered('bus/1', { busId: '1', speed: 10, heading: 90 }), entered('bus/2', { busId: '2' })]));
    const bus = store.entities.get('bus/1');
    const update = store.apply(batch([updated('bus/1', { speed: null }), left('bus/2', 'MOVED_OUT')]));
    expect(bus).toEqual({ id: 'bus/1', kind: 'BUS', fields: { busId: '1', speed: null, heading: 90 } });
    expect(update.updated).toEqual([{ entity: bus, fields: ['speed'] }]);
    expect(update.updated[0]?.entity).toBe(bus);
    expect(update.left).toEqual([{ id: 'bus/2', reason: 'MOVED_OUT' }]);
    expect(ids(store)).toEqual(['bus/1']);
  });

  test('drops after a new snapshot what was not in it, and not before', () => {
    const store = new TwinStore();
    store.apply(snapshot([entered('bus/1', { speed: 1 }), entered('bus/2'), entered('bus/3')]));
    const first = store.apply(snapshot([entered('bus/1', { speed: 2 })], { complete: false, reason: 'NEW_EPOCH' }));
    expect(first.entered).toEqual([]);
    expect(first.updated.map(({ entity }) => entity.fields)).toEqual([{ speed: 2 }]);
    expect(ids(store)).toEqual(['bus/1', 'bus/2', 'bus/3']);
    const last = store.apply(snapshot([entered('bus/4')], { reason: null }));
    expect(last.left).toEqual([
      { id: 'bus/2', reason: 'REPLACED' },
      { id: 'bus/3', reason: 'REPLACED' },
    ]);
    expect(ids(store)).toEqual(['bus/1', 'bus/4']);
  });

  test('still knows what to drop where the connection was lost within the snapshot', () => {
    const store = new TwinStore();
    store.apply(snapshot([entered('bus/1'), entered('bus/2')]));
    store.apply(snapshot([entered('bus/1')], { complete: false, reason: 'NOT_HERE' }));
    // Resumed: no snapshot, just what differs from what the server knows that the client has.
    store.apply(batch([entered('bus/3')]));
    expect(ids(store)).toEqual(['bus/1', 'bus/3']);
  });

  test('switches to cells and back, and tells what is gone by that', () => {
    const store = new TwinStore();
    store.apply(snapshot([entered('bus/1'), entered('edge/1'), entered('district/d')]));
    const away = store.apply(batch([], { mode: 'CELLS', cells: [cell('cell/9/1/1', 3), cell('cell/9/1/2', 1)] }));
    expect(away).toMatchObject({ mode: 'CELLS', modeChanged: true, left: [{ id: 'bus/1', reason: 'REPLACED' }] });
    expect(ids(store)).toEqual(['district/d', 'edge/1']);
    expect(store.apply(batch([], { mode: 'CELLS', cells: [cell('cell/9/1/2', 0)] })).modeChanged).toBe(false);
    expect([...store.cells.keys()]).toEqual(['cell/9/1/1']);
    const back = store.apply(batch([entered('bus/1')], { mode: 'ENTITIES' }));
    expect(back.cells).toEqual([{ ...cell('cell/9/1/1', 0) }]);
    expect(store.cells.size).toBe(0);
    expect(ids(store)).toEqual(['bus/1', 'district/d', 'edge/1']);
  });

  test('drops cells that a new snapshot does not have', () => {
    const store = new TwinStore();
    store.apply(snapshot([], { mode: 'CELLS', cells: [cell('cell/9/1/1', 3), cell('cell/9/1/2', 1)] }));
    const update = store.apply(snapshot([], { mode: 'CELLS', cells: [cell('cell/9/1/2', 2)], reason: 'NOT_HELD' }));
    expect(update.cells.map(({ id, count }) => [id, count])).toEqual([['cell/9/1/2', 2], ['cell/9/1/1', 0]]);
    expect([...store.cells.keys()]).toEqual(['cell/9/1/2']);
  });

  test('knows the newest time that came', () => {
    const store = new TwinStore();
    expect(store.newest).toBeNull();
    store.apply(snapshot([entered('bus/1', { lastUpdated: '2026-01-05T00:00:01.000Z' }), entered('bus/2', { lastUpdated: null })]));
    store.apply(batch([updated('bus/2', { lastUpdated: '2026-01-05T00:00:00.500Z' })]));
    expect(store.newest).toBe('2026-01-05T00:00:01.000Z');
  });
});

test('an id tells the kind, the district and the own id', () => {
  expect(partsOf('sensor/il%20centro/aq%2F1')).toEqual({ kind: 'SENSOR', district: 'il centro', ownId: 'aq/1' });
  expect(partsOf('weather-station/d/w')).toEqual({ kind: 'WEATHER_STATION', district: 'd', ownId: 'w' });
  expect(partsOf('bus/12')).toEqual({ kind: 'BUS', ownId: '12' });
  expect(partsOf('district/d')).toEqual({ kind: 'DISTRICT', ownId: 'd' });
  expect(() => partsOf('tram/1')).toThrow('"tram/1" is not the id of an entity');
  expect(() => partsOf('bus')).toThrow('is not the id');
});
