import type { Feature } from 'geojson';
import type { GeoJSONSource, Map as MapLibre } from 'maplibre-gl';
import type { Cell } from '../api/index.ts';
import { CELL_LAYERS, CELLS } from './style.ts';

/** Draws the squares that stand for many; there are a few hundred at most, so all of them at once. */
export function drawCells(map: MapLibre, cells: Iterable<Cell>, label: (count: number) => string): void {
  const features = [...cells]
    .filter((cell) => cell.count > 0)
    .map(
      ({ id, count, north, south, east, west }): Feature => ({
        type: 'Feature',
        properties: { id, count, label: label(count) },
        geometry: {
          type: 'Polygon',
          coordinates: [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
        },
      }),
    );
  const source = map.getSource<GeoJSONSource>(CELLS);
  if (!source) return;
  void source.setData({ type: 'FeatureCollection', features });
  // MapLibre cuts tiles and links shaders for layers that nothing is in.
  for (const layer of CELL_LAYERS) map.setLayoutProperty(layer, 'visibility', features.length > 0 ? 'visible' : 'none');
}
