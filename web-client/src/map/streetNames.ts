import type { Feature } from 'geojson';
import type { GeoJSONSource, Map as MapLibre } from 'maplibre-gl';
import type { TwinEntity } from '../api/index.ts';
import { textOf } from '../twin/describe.ts';
import { lineOf, type Position } from '../twin/geometry.ts';
import { rankOf } from './roadColumns.ts';
import { NAMED_FROM, NAMES } from './style.ts';

/** The names along the roads of the view: MapLibre gets them when the map is near enough to show them. */
export class StreetNames {
  readonly #map: MapLibre;
  readonly #roads = new Map<string, TwinEntity>();
  #isStale = false;

  constructor(map: MapLibre) {
    this.#map = map;
  }

  set(road: TwinEntity): void {
    this.#roads.set(road.id, road);
    this.#isStale = true;
  }

  remove(id: string): void {
    if (this.#roads.delete(id)) this.#isStale = true;
  }

  /** Hands over what changed since it was handed over, or all where MapLibre has `forgotten` it. */
  refresh(forgotten = false): void {
    this.#isStale ||= forgotten;
    if (!this.#isStale || this.#map.getZoom() < NAMED_FROM) return;
    this.#isStale = false;
    const source = this.#map.getSource<GeoJSONSource>(NAMES);
    if (source) void source.setData({ type: 'FeatureCollection', features: this.#features() });
  }

  #features(): Feature[] {
    const ways = new Set([...this.#roads.values()].map(wayOf));
    return [...this.#roads.values()].flatMap((road): Feature[] => {
      const [name, line] = [textOf(road.fields['name']), lineOf(road)];
      // A street has its name once: on the direction that goes east, or on the only one there is.
      const isNamed = name && line.length > 1 && (goesEast(line) || !ways.has(wayBack(road)));
      if (!isNamed) return [];
      return [
        {
          type: 'Feature',
          geometry: { type: 'LineString', coordinates: line as unknown as number[][] },
          properties: { rank: rankOf(textOf(road.fields['class'])), name },
        },
      ];
    });
  }
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
