import { addProtocol, type LayerSpecification, type Map as MapLibre, type SourceSpecification } from 'maplibre-gl';
import type { Background } from '../api/index.ts';
import type { Palette } from './palette.ts';

const SOURCE = 'background';

/** Lays tiles or a PMTiles file below the layer `above`, quiet enough that the city stands out. */
export async function layBackground(map: MapLibre, background: Background, palette: Palette, above: string): Promise<void> {
  const { source, layers } = background.kind === 'tiles' ? rasterOf(background.url) : await pmtilesOf(background.url, palette);
  map.addSource(SOURCE, source);
  for (const layer of layers) map.addLayer(layer, above);
}

/** Colours a background that is there anew. */
export function paintBackground(map: MapLibre, palette: Palette): void {
  for (const { id } of map.getStyle().layers) {
    if (!id.startsWith(`${SOURCE}/`)) continue;
    for (const [name, value] of Object.entries(paintOf(id, palette))) map.setPaintProperty(id, name as never, value as never);
  }
}

interface Laid {
  readonly source: SourceSpecification;
  readonly layers: readonly LayerSpecification[];
}

const RASTER_LAYER: LayerSpecification = {
  id: `${SOURCE}/raster`,
  type: 'raster',
  source: SOURCE,
  paint: { 'raster-opacity': 0.55, 'raster-saturation': -0.6 },
};

function rasterOf(url: string): Laid {
  return { source: { type: 'raster', tiles: [url], tileSize: 256 }, layers: [RASTER_LAYER] };
}

async function pmtilesOf(url: string, palette: Palette): Promise<Laid> {
  const { PMTiles, Protocol, TileType } = await import('pmtiles');
  const file = new PMTiles(new URL(url, window.location.href).href);
  const protocol = new Protocol();
  protocol.add(file);
  addProtocol('pmtiles', protocol.tile);
  const { tileType, minZoom, maxZoom } = await file.getHeader();
  const source = { tiles: [`pmtiles://${file.source.getKey()}/{z}/{x}/{y}`], minzoom: minZoom, maxzoom: maxZoom };
  const isVector = tileType === TileType.Mvt || tileType === TileType.Mlt;
  if (!isVector) return { source: { ...source, type: 'raster', tileSize: 256 }, layers: [RASTER_LAYER] };
  const { vector_layers: named = [] } = (await file.getMetadata()) as { vector_layers?: { id: string }[] };
  return { source: { ...source, type: 'vector', ...(tileType === TileType.Mlt && { encoding: 'mlt' }) }, layers: named.flatMap(({ id }) => vectorLayers(id, palette)) };
}

/** Areas as areas and lines as lines, whatever the schema of the file; only water and buildings have a tone of their own. */
function vectorLayers(name: string, palette: Palette): LayerSpecification[] {
  const common = { source: SOURCE, 'source-layer': name };
  const [area, line] = [`${SOURCE}/area/${name}`, `${SOURCE}/line/${name}`];
  return [
    { ...common, id: area, type: 'fill', filter: ['match', ['geometry-type'], ['Polygon', 'MultiPolygon'], true, false], paint: paintOf(area, palette) },
    { ...common, id: line, type: 'line', filter: ['match', ['geometry-type'], ['LineString', 'MultiLineString'], true, false], paint: paintOf(line, palette) },
  ];
}

function paintOf(id: string, palette: Palette): Record<string, string | number> {
  const [, form, name = ''] = id.split('/');
  if (form === 'line') return { 'line-color': palette.road, 'line-opacity': 0.5, 'line-width': 1 };
  if (form !== 'area') return {};
  if (/water|ocean|lake|river/.test(name)) return { 'fill-color': palette.weather, 'fill-opacity': 0.18 };
  if (/building/.test(name)) return { 'fill-color': palette.quiet, 'fill-opacity': 0.25 };
  return { 'fill-color': palette.quiet, 'fill-opacity': 0.06 };
}
