import type { Map as MapLibre } from 'maplibre-gl';
import type { TwinEntity, TwinUpdate } from '../api/index.ts';
import { objectOf, textOf } from '../twin/describe.ts';
import { lineOf } from '../twin/geometry.ts';
import type { Camera } from './camera.ts';
import { CONGESTION_LEVELS, type Palette } from './palette.ts';
import { rankOf, RoadColumns } from './roadColumns.ts';
import { penAt, RoadLayer } from './roadLayer.ts';
import { StreetNames } from './streetNames.ts';
import { ABOVE_ROADS } from './style.ts';

const DRAWN_FIELDS = new Set(['geometry', 'class', 'name', 'fromNode', 'toNode']);

/** The roads of the view: their lines, coloured by congestion, and their names. */
export class Roads {
  readonly #map: MapLibre;
  readonly #camera: () => Camera;
  readonly #columns = new RoadColumns();
  readonly #layer: RoadLayer;
  readonly #names: StreetNames;

  constructor(map: MapLibre, palette: Palette, camera: () => Camera) {
    this.#map = map;
    this.#camera = camera;
    this.#layer = new RoadLayer(this.#columns, palette);
    this.#names = new StreetNames(map);
    map.on('moveend', () => this.#names.refresh());
  }

  /** Adds them to the style that the map has got. Throws where they cannot be drawn. */
  lay(): void {
    this.#map.addLayer(this.#layer, ABOVE_ROADS);
    this.#names.refresh(true);
  }

  /** How many roads the last frame shows. */
  get count(): number {
    return this.#layer.drawn;
  }

  has(id: string | undefined): boolean {
    return id !== undefined && this.#columns.has(id);
  }

  /** Whether there is something to be drawn. */
  apply(update: TwinUpdate): boolean {
    let isNews = false;
    for (const entity of update.entered) if (entity.kind === 'EDGE') isNews = this.#place(entity);
    for (const { entity, fields } of update.updated) {
      if (entity.kind !== 'EDGE') continue;
      if (fields.some((field) => DRAWN_FIELDS.has(field))) isNews = this.#place(entity);
      else isNews = this.#columns.colour(entity.id, levelOf(entity)) || isNews;
    }
    for (const { id } of update.left) {
      isNews = this.#columns.remove(id) || isNews;
      this.#names.remove(id);
    }
    if (update.complete) this.#names.refresh();
    return isNews;
  }

  /** Marks a road, and no other one. */
  choose(id: string | undefined): void {
    if (this.#layer.chosen === id) return;
    this.#layer.chosen = id;
    this.#map.triggerRepaint();
  }

  /** The road under a place of the screen, in CSS pixels. */
  pick(at: { readonly x: number; readonly y: number }, reach: number): string | undefined {
    return this.#columns.nearest(at, this.#camera(), reach, penAt);
  }

  setPalette(palette: Palette): void {
    this.#layer.palette = palette;
    this.#map.triggerRepaint();
  }

  #place(entity: TwinEntity): true {
    this.#columns.set(entity.id, lineOf(entity), rankOf(textOf(entity.fields['class'])), levelOf(entity));
    this.#names.set(entity);
    return true;
  }
}

function levelOf({ fields }: TwinEntity): number {
  const word = textOf(objectOf(fields['trafficConditions'])?.['congestionLevel']);
  return CONGESTION_LEVELS.findIndex((each) => each === word);
}
