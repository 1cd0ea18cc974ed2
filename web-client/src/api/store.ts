import type { TwinChangesSubscription } from './operations.ts';
import type { Cell, Kind, Left, TwinEntity, TwinUpdate, ViewMode } from './twin.ts';

/** One batch of `twinChanges`. */
export type Batch = TwinChangesSubscription['twinChanges'];

type Fields = Record<string, unknown>;
type Held = TwinEntity & { fields: Fields };

const KINDS: Readonly<Record<string, Kind>> = {
  district: 'DISTRICT',
  sensor: 'SENSOR',
  building: 'BUILDING',
  'weather-station': 'WEATHER_STATION',
  node: 'NODE',
  edge: 'EDGE',
  bus: 'BUS',
  station: 'STATION',
  incident: 'INCIDENT',
  unit: 'UNIT',
};

/** What stays single where all else is counted in cells. */
const SINGLE: ReadonlySet<Kind> = new Set(['DISTRICT', 'NODE', 'EDGE']);

/** What a global id says: the district only of those kinds whose id has one. */
export interface IdParts {
  readonly kind: Kind;
  readonly district?: string;
  readonly ownId: string;
}

/** The parts of a global id: `sensor/centro/aq%2F1` is a sensor of the district `centro` with the own id `aq/1`. */
export function partsOf(id: string): IdParts {
  const [prefix = '', ...parts] = id.split('/').map(decodeURIComponent);
  const kind = KINDS[prefix];
  const [first, second] = parts;
  if (!kind || first === undefined) throw new Error(`${JSON.stringify(id)} is not the id of an entity`);
  return second === undefined ? { kind, ownId: first } : { kind, district: first, ownId: second };
}

/** What a subscriber of `twinChanges` holds. Applying its batches in order keeps it what the server says it is. */
export class TwinStore {
  readonly entities = new Map<string, Held>();
  readonly cells = new Map<string, Cell>();
  /** The newest `lastUpdated` of all that came, RFC 3339. */
  newest: string | null = null;
  #mode: ViewMode = 'ENTITIES';
  /** What is held from before the snapshot that is coming, and has not come again yet; at its end it is dropped. */
  #unconfirmed = new Set<string>();
  #unconfirmedCells = new Set<string>();

  apply(batch: Batch): TwinUpdate {
    const update = {
      entered: [] as TwinEntity[],
      updated: [] as { entity: TwinEntity; fields: string[] }[],
      left: [] as { id: string; reason: Left }[],
      cells: [] as Cell[],
      mode: batch.mode,
      modeChanged: batch.mode !== this.#mode,
      complete: batch.complete,
      snapshot: batch.snapshot,
    };
    if (update.modeChanged) this.#switch(batch.mode, update);
    if (batch.snapshot && batch.reason !== null) {
      this.#unconfirmed = new Set(this.entities.keys());
      this.#unconfirmedCells = new Set(this.cells.keys());
    }
    for (const change of batch.changes) {
      if (change.kind === 'LEFT') {
        this.#leave(change.id, change.reason ?? 'REMOVED', update);
      } else {
        this.#set(change.id, change.patch as Fields, update);
      }
    }
    for (const cell of batch.cells) this.#setCell(cell, update);
    if (batch.complete) this.#dropUnconfirmed(update);
    return update;
  }

  /** No `LEFT` comes for what the other mode does not show. */
  #switch(mode: ViewMode, update: Draft): void {
    this.#mode = mode;
    for (const { id, kind } of mode === 'CELLS' ? this.entities.values() : []) {
      if (!SINGLE.has(kind)) this.#leave(id, 'REPLACED', update);
    }
    for (const cell of mode === 'ENTITIES' ? this.cells.values() : []) this.#setCell(emptied(cell), update);
  }

  #set(id: string, patch: Fields, update: Draft): void {
    const { lastUpdated } = patch;
    // Canonical times of one form and zone are in order as text.
    if (typeof lastUpdated === 'string' && (this.newest === null || lastUpdated > this.newest)) this.newest = lastUpdated;
    const held = this.entities.get(id);
    if (held) {
      this.#unconfirmed.delete(id);
      Object.assign(held.fields, patch);
      update.updated.push({ entity: held, fields: Object.keys(patch) });
      return;
    }
    const { kind, district } = partsOf(id);
    const entity: Held = district === undefined ? { id, kind, fields: patch } : { id, kind, district, fields: patch };
    this.entities.set(id, entity);
    update.entered.push(entity);
  }

  #leave(id: string, reason: Left, update: Draft): void {
    this.#unconfirmed.delete(id);
    if (this.entities.delete(id)) update.left.push({ id, reason });
  }

  #setCell(cell: Cell, update: Draft): void {
    this.#unconfirmedCells.delete(cell.id);
    if (cell.groups.length) this.cells.set(cell.id, cell);
    else if (!this.cells.delete(cell.id)) return;
    update.cells.push(cell);
  }

  #dropUnconfirmed(update: Draft): void {
    for (const id of this.#unconfirmed) this.#leave(id, 'REPLACED', update);
    for (const id of this.#unconfirmedCells) {
      const cell = this.cells.get(id);
      if (cell) this.#setCell(emptied(cell), update);
    }
  }
}

/** An update that is being put together. */
interface Draft {
  readonly entered: TwinEntity[];
  readonly updated: { entity: TwinEntity; fields: string[] }[];
  readonly left: { id: string; reason: Left }[];
  readonly cells: Cell[];
}

function emptied(cell: Cell): Cell {
  return { ...cell, count: 0, groups: [] };
}
