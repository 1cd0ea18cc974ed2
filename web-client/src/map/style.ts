import type { FeatureCollection } from 'geojson';
import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from 'maplibre-gl';
import { CONGESTION_LEVELS, type Palette } from './palette.ts';

/** The sources that the page fills. */
export const ROADS = 'roads';
export const CELLS = 'cells';

/** Layers whose features a click finds, the uppermost first. */
export const TOUCHABLE_ROADS = ['roads-busy', 'roads'];
export const TOUCHABLE_CELLS = ['cells'];

/** The paint of every layer in the colours of a palette. */
export type Paints = Record<string, Record<string, unknown>>;

const TEXT_FONT = ['system-ui', 'sans-serif'];

type Widths = readonly (readonly [zoom: number, widths: readonly [number, number, number, number]])[];

/** Pixels by zoom for the four ranks of roads, the main ones first. */
function byRank(stops: Widths, pixels: (width: number) => unknown = (width) => width): ExpressionSpecification {
  const pairs = stops.flatMap(([zoom, [main, second, third, rest]]) => [zoom, ['match', ['get', 'rank'], 0, pixels(main), 1, pixels(second), 2, pixels(third), pixels(rest)]]);
  return ['interpolate', ['exponential', 1.4], ['zoom'], ...pairs] as unknown as ExpressionSpecification;
}

const WIDTHS = [
  [10, [1.6, 1.1, 0.7, 0.4]],
  [13, [3.2, 2.3, 1.6, 1.0]],
  [15, [4.4, 3.5, 2.8, 2.0]],
  [18, [12, 10.5, 9, 7.5]],
] as const;

// Each direction is a road of its own: seen from near, they lie side by side, traffic on the right.
const OFFSETS = [
  [13.5, [0, 0, 0, 0]],
  [15, [2.6, 2.2, 1.8, 1.4]],
  [18, [7, 6.2, 5.4, 4.6]],
] as const;

// As it was when the line was drawn first, unless it has changed since.
const LEVEL = ['coalesce', ['feature-state', 'level'], ['get', 'level'], -1];

function congestionColour({ congestion, road }: Palette): ExpressionSpecification {
  const steps = CONGESTION_LEVELS.flatMap((_, level) => [level, congestion[level]!]);
  return ['match', LEVEL, ...steps, road] as unknown as ExpressionSpecification;
}

/** What the layers look like, apart from where they stand. */
export function paintsFor(palette: Palette): Paints {
  const [few, some, many] = palette.cells;
  return {
    ground: { 'background-color': palette.ground },
    'road-chosen': { 'line-color': palette.ink, 'line-width': byRank(WIDTHS, (width) => width + 8), 'line-offset': byRank(OFFSETS), 'line-opacity': 0.9 },
    roads: { 'line-color': congestionColour(palette), 'line-width': byRank(WIDTHS), 'line-offset': byRank(OFFSETS) },
    // Once more above the rest: what is jammed is never hidden by the free direction, and is also thicker. All others have no
    // width here: to draw them with no opacity would take as long as to draw them.
    'roads-busy': {
      'line-color': congestionColour(palette),
      'line-width': byRank(WIDTHS, (width) => ['case', ['>=', LEVEL, 2], width * 1.45, 0]),
      'line-offset': byRank(OFFSETS),
    },
    'road-names': { 'text-color': palette.ink, 'text-halo-color': palette.ground, 'text-halo-width': 1.6, 'text-opacity': 0.85 },
    cells: {
      'fill-color': ['interpolate', ['linear'], ['ln', ['max', 1, ['get', 'count']]], 0, few, 4, some, 7, many],
      'fill-opacity': 0.72,
    },
    'cell-edges': { 'line-color': palette.rim, 'line-width': 1.5 },
    'cell-counts': { 'text-color': palette.ink, 'text-halo-color': palette.rim, 'text-halo-width': 2 },
  };
}

// From far away nobody sees the corners of a hair, but to round 15,000 of them takes its time.
const LINE_LAYOUT = { 'line-cap': ['step', ['zoom'], 'butt', 13, 'round'], 'line-join': ['step', ['zoom'], 'bevel', 13, 'round'] } as const;

/** Everything that MapLibre draws: the city's own geometry, and nothing from elsewhere. */
export function styleFor(palette: Palette): StyleSpecification {
  const empty: FeatureCollection = { type: 'FeatureCollection', features: [] };
  const paints = paintsFor(palette);
  const layers = [
    { id: 'ground', type: 'background' },
    { id: 'cells', type: 'fill', source: CELLS },
    { id: 'cell-edges', type: 'line', source: CELLS },
    { id: 'road-chosen', type: 'line', source: ROADS, filter: ['==', ['id'], -1], layout: LINE_LAYOUT },
    { id: 'roads', type: 'line', source: ROADS, layout: { ...LINE_LAYOUT, 'line-sort-key': ['-', 0, ['get', 'rank']] } },
    { id: 'roads-busy', type: 'line', source: ROADS, layout: { ...LINE_LAYOUT, 'line-sort-key': ['-', 0, ['get', 'rank']] } },
    {
      id: 'road-names',
      type: 'symbol',
      source: ROADS,
      minzoom: 14,
      filter: ['all', ['!=', ['get', 'name'], ''], ['step', ['zoom'], ['<=', ['get', 'rank'], 1], 15.5, ['<=', ['get', 'rank'], 2], 16.5, true]],
      layout: {
        'symbol-placement': 'line',
        'text-field': ['get', 'name'],
        'text-font': TEXT_FONT,
        'text-size': ['interpolate', ['linear'], ['zoom'], 14, 11, 18, 14],
        'text-padding': 12,
        'symbol-spacing': 400,
      },
    },
    {
      id: 'cell-counts',
      type: 'symbol',
      source: CELLS,
      layout: { 'text-field': ['get', 'label'], 'text-font': TEXT_FONT, 'text-size': 13, 'text-allow-overlap': true },
    },
  ] as LayerSpecification[];
  return {
    version: 8,
    sources: {
      // Simplified by half a pixel and kept to zoom 18: beyond it the same lines only grow.
      [ROADS]: { type: 'geojson', data: empty, tolerance: 0.5, maxzoom: 18, buffer: 32 },
      [CELLS]: { type: 'geojson', data: empty, tolerance: 0 },
    },
    layers: layers.map((layer) => ({ ...layer, paint: paints[layer.id] ?? {} })) as LayerSpecification[],
  };
}

/** How important a class of road is, from 0; the classes are OpenStreetMap's. */
export function rankOf(roadClass: string | undefined): 0 | 1 | 2 | 3 {
  switch (roadClass?.replace(/_link$/, '')) {
    case 'motorway':
    case 'trunk':
    case 'primary':
      return 0;
    case 'secondary':
      return 1;
    case 'tertiary':
      return 2;
    default:
      return 3;
  }
}
