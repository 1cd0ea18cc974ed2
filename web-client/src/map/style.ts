import type { FeatureCollection } from 'geojson';
import type { LayerSpecification, StyleSpecification } from 'maplibre-gl';
import type { Palette } from './palette.ts';

/** The sources that the page fills. */
export const NAMES = 'names';
export const CELLS = 'cells';

/** The layers of squares, hidden while there are none; a click finds what is in the first. */
export const CELL_LAYERS = ['cells', 'cell-edges', 'cell-counts'];
export const TOUCHABLE_CELLS = ['cells'];

/** The layer that comes next above the roads, which MapLibre does not draw. */
export const ABOVE_ROADS = 'road-names';

/** The zoom from which on roads have names. */
export const NAMED_FROM = 14;

/** The paint of every layer in the colours of a palette. */
export type Paints = Record<string, Record<string, unknown>>;

const TEXT_FONT = ['system-ui', 'sans-serif'];

/** What the layers look like, apart from where they stand. */
export function paintsFor(palette: Palette): Paints {
  const [few, some, many] = palette.cells;
  return {
    'road-names': { 'text-color': palette.ink, 'text-halo-color': palette.ground, 'text-halo-width': 1.6, 'text-opacity': 0.85 },
    cells: {
      'fill-color': ['interpolate', ['linear'], ['ln', ['max', 1, ['get', 'count']]], 0, few, 4, some, 7, many],
      'fill-opacity': 0.72,
    },
    'cell-edges': { 'line-color': palette.rim, 'line-width': 1.5 },
    'cell-counts': { 'text-color': palette.ink, 'text-halo-color': palette.rim, 'text-halo-width': 2 },
  };
}

/** Everything that MapLibre draws by itself, and nothing from elsewhere. The ground is the page's, which shows through. */
export function styleFor(palette: Palette): StyleSpecification {
  const empty: FeatureCollection = { type: 'FeatureCollection', features: [] };
  const paints = paintsFor(palette);
  const layers = [
    { id: 'cells', type: 'fill', source: CELLS, layout: { visibility: 'none' } },
    { id: 'cell-edges', type: 'line', source: CELLS, layout: { visibility: 'none' } },
    {
      id: 'road-names',
      type: 'symbol',
      source: NAMES,
      minzoom: NAMED_FROM,
      filter: ['step', ['zoom'], ['<=', ['get', 'rank'], 1], 15.5, ['<=', ['get', 'rank'], 2], 16.5, true],
      layout: {
        'symbol-placement': 'line',
        'text-field': ['get', 'name'],
        'text-font': TEXT_FONT,
        'text-size': ['interpolate', ['linear'], ['zoom'], NAMED_FROM, 11, 18, 14],
        'text-padding': 12,
        'symbol-spacing': 400,
      },
    },
    {
      id: 'cell-counts',
      type: 'symbol',
      source: CELLS,
      layout: { visibility: 'none', 'text-field': ['get', 'label'], 'text-font': TEXT_FONT, 'text-size': 13, 'text-allow-overlap': true },
    },
  ] as LayerSpecification[];
  return {
    version: 8,
    sources: {
      // Simplified by half a pixel and kept to zoom 18: beyond it the same lines only grow.
      [NAMES]: { type: 'geojson', data: empty, tolerance: 0.5, maxzoom: 18, buffer: 32 },
      [CELLS]: { type: 'geojson', data: empty, tolerance: 0 },
    },
    layers: layers.map((layer) => ({ ...layer, paint: paints[layer.id] ?? {} })) as LayerSpecification[],
  };
}
