import type { Feature } from 'geojson';
import type { GeoJSONSource, Map as MapLibre } from 'maplibre-gl';
import type { TwinEntity, TwinUpdate } from '../api/index.ts';
import { objectOf, textOf } from '../twin/describe.ts';
import { lineOf, type Position } from '../twin/geometry.ts';
import { CONGESTION_LEVELS } from './palette.ts';
import { rankOf, ROADS } from './style.ts';

// All roads of a view come in batches, and each that is handed on alone cuts the same tiles anew. So they are gathered until the
// last one is there; where that takes long, what came is shown after this time, then after twice as long.
const GATHER_MS = 2000;

const DRAWN_FIELDS = new Set(['geometry', 'class', 'name']);

/** A road that is drawn, or will be with the next flush. */
interface Road {
  readonly entity: TwinEntity;
  /** Of its feature. */
  readonly number: number;
  /** Index in `CONGESTION_LEVELS`, -1 where that is not known. */
  level: number;
}

/**
 * The roads of the view as a source of MapLibre.
 *
 * Lines go there once, under numbers of their own, with how congested they are at that time. From then on that is a state of their
 * features, so that a change of traffic cuts no tile anew.
 */
export class Roads {
  readonly #map: MapLibre;
  readonly #roads = new Map<string, Road>();
  readonly #ids = new Map<number, string>();
  /** The ways that roads go, as `from>to`, to know which have one back. */
  readonly #ways = new Set<string>();
  readonly #added = new Set<Road>();
  readonly #removed = new Set<number>();
  #next = 1;
  #gatherMs = GATHER_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(map: MapLibre) {
    this.#map = map;
  }

  /** How many roads MapLibre has. */
  get count(): number {
    return this.#roads.size - this.#added.size;
  }

  apply(update: TwinUpdate): void {
    for (const entity of update.entered) if (entity.kind === 'EDGE') this.#draw(entity);
    for (const { entity, fields } of update.updated) {
      if (entity.kind !== 'EDGE') continue;
      if (fields.some((field) => DRAWN_FIELDS.has(field))) this.#draw(entity);
      else this.#colour(entity.id);
    }
    for (const { id } of update.left) this.#erase(id);
    if (this.#added.size === 0 && this.#removed.size === 0) return;
    if (update.complete) {
      this.#flush();
      this.#gatherMs = GATHER_MS;
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#flush();
      this.#gatherMs *= 2;
    }, this.#gatherMs);
  }

  /** The global id of a feature. */
  idOf(number: number): string | undefined {
    return this.#ids.get(number);
  }

  /** The number of a road's feature; -1 where it is not drawn. */
  numberOf(id: string | undefined): number {
    return (id !== undefined ? this.#roads.get(id)?.number : undefined) ?? -1;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #draw(entity: TwinEntity): void {
    const line = lineOf(entity);
    this.#erase(entity.id);
    if (line.length < 2) return;
    const road: Road = { entity, number: this.#next, level: levelOf(entity) };
    this.#next += 1;
    this.#roads.set(entity.id, road);
    this.#ids.set(road.number, entity.id);
    this.#ways.add(wayOf(entity));
    this.#added.add(road);
  }

  #colour(id: string): void {
    const road = this.#roads.get(id);
    if (!road) return;
    const level = levelOf(road.entity);
    if (road.level === level) return;
    road.level = level;
    // A state makes MapLibre draw all of the map again, and one that is not flushed takes its level along.
    if (!this.#added.has(road)) this.#map.setFeatureState({ source: ROADS, id: road.number }, { level });
  }

  #erase(id: string): void {
    const road = this.#roads.get(id);
    if (!road) return;
    this.#roads.delete(id);
    this.#ids.delete(road.number);
    this.#ways.delete(wayOf(road.entity));
    if (this.#added.delete(road)) return;
    this.#map.removeFeatureState({ source: ROADS, id: road.number });
    this.#removed.add(road.number);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const source = this.#map.getSource<GeoJSONSource>(ROADS);
    if (source) void source.updateData({ remove: [...this.#removed], add: [...this.#added].map((road) => this.#feature(road)) });
    this.#added.clear();
    this.#removed.clear();
  }

  #feature({ entity, number, level }: Road): Feature {
    const line = lineOf(entity);
    // A street has its name once: on the direction that goes east, or on the only one there is.
    const isNamed = goesEast(line) || !this.#ways.has(wayBack(entity));
    return {
      type: 'Feature',
      id: number,
      geometry: { type: 'LineString', coordinates: line as unknown as number[][] },
      properties: { rank: rankOf(textOf(entity.fields['class'])), level, name: (isNamed && textOf(entity.fields['name'])) || '' },
    };
  }
}

function levelOf({ fields }: TwinEntity): number {
  const word = textOf(objectOf(fields['trafficConditions'])?.['congestionLevel']);
  return CONGESTION_LEVELS.findIndex((each) => each === word);
}

function wayOf({ fields }: TwinEntity): string {
  return `${textOf(fields['fromNode'])}>${textOf(fields['toNode'])}`;
}

function wayBack({ fields }: TwinEntity): string {
  return `${textOf(fields['toNode'])}>${textOf(fields['fromNode'])}`;
}

function goesEast(line: readonly Position[]): boolean {
  const [first, last] = [line[0]!, line.at(-1)!];
  return last[0] > first[0] || (last[0] === first[0] && last[1] > first[1]);
}
