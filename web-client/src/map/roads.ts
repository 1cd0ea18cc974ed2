import type { Feature } from 'geojson';
import type { GeoJSONSource, Map as MapLibre } from 'maplibre-gl';
import type { TwinEntity, TwinUpdate } from '../api/index.ts';
import { objectOf, textOf } from '../twin/describe.ts';
import { lineOf } from '../twin/geometry.ts';
import { CONGESTION_LEVELS } from './palette.ts';
import { rankOf, ROADS } from './style.ts';

// A snapshot comes in batches; each that is handed on alone would cut the same tiles anew.
const GATHER_MS = 250;

const DRAWN_FIELDS = new Set(['geometry', 'class', 'name']);

/**
 * The roads of the view as a source of MapLibre.
 *
 * Lines go there once, under numbers of their own; how congested a road is, is a state of its feature, so that a change
 * of traffic cuts no tile anew.
 */
export class Roads {
  readonly #map: MapLibre;
  readonly #numbers = new Map<string, number>();
  readonly #ids = new Map<number, string>();
  readonly #levels = new Map<number, number>();
  readonly #added = new Map<number, Feature>();
  readonly #removed = new Set<number>();
  #next = 1;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(map: MapLibre) {
    this.#map = map;
  }

  /** How many roads are drawn. */
  get count(): number {
    return this.#numbers.size;
  }

  apply(update: TwinUpdate): void {
    for (const entity of update.entered) if (entity.kind === 'EDGE') this.#draw(entity);
    for (const { entity, fields } of update.updated) {
      if (entity.kind !== 'EDGE') continue;
      if (fields.some((field) => DRAWN_FIELDS.has(field))) this.#draw(entity);
      else this.#colour(entity);
    }
    for (const { id } of update.left) this.#erase(id);
    if (this.#added.size === 0 && this.#removed.size === 0) return;
    if (update.complete) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS);
  }

  /** The global id of a feature. */
  idOf(number: number): string | undefined {
    return this.#ids.get(number);
  }

  /** The number of a road's feature; -1 where it is not drawn. */
  numberOf(id: string | undefined): number {
    return (id !== undefined ? this.#numbers.get(id) : undefined) ?? -1;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #draw(entity: TwinEntity): void {
    const line = lineOf(entity);
    if (line.length < 2) return;
    let number = this.#numbers.get(entity.id);
    if (number === undefined) {
      number = this.#next;
      this.#next += 1;
      this.#numbers.set(entity.id, number);
      this.#ids.set(number, entity.id);
    }
    this.#added.set(number, {
      type: 'Feature',
      id: number,
      geometry: { type: 'LineString', coordinates: line as unknown as number[][] },
      properties: { rank: rankOf(textOf(entity.fields['class'])), name: textOf(entity.fields['name']) ?? '' },
    });
    this.#colour(entity);
  }

  #colour(entity: TwinEntity): void {
    const number = this.#numbers.get(entity.id);
    if (number === undefined) return;
    const word = textOf(objectOf(entity.fields['trafficConditions'])?.['congestionLevel']);
    const level = word === undefined ? -1 : CONGESTION_LEVELS.indexOf(word as (typeof CONGESTION_LEVELS)[number]);
    if (this.#levels.get(number) === level) return;
    this.#levels.set(number, level);
    this.#map.setFeatureState({ source: ROADS, id: number }, { level });
  }

  #erase(id: string): void {
    const number = this.#numbers.get(id);
    if (number === undefined) return;
    this.#numbers.delete(id);
    this.#ids.delete(number);
    this.#levels.delete(number);
    this.#map.removeFeatureState({ source: ROADS, id: number });
    if (!this.#added.delete(number)) this.#removed.add(number);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const source = this.#map.getSource<GeoJSONSource>(ROADS);
    if (source) void source.updateData({ remove: [...this.#removed], add: [...this.#added.values()] });
    this.#added.clear();
    this.#removed.clear();
  }
}
