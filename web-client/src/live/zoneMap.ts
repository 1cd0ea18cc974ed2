import type { FeatureCollection } from 'geojson';
import { type GeoJSONSource, LngLatBounds, type LayerSpecification, type Map as MapLibre, type StyleSpecification } from 'maplibre-gl';
import { type Background, type Box, fetchBackground } from '../api/index.ts';
import { layBackground, paintBackground } from '../map/background.ts';
import { makeMap } from '../map/engine.ts';
import { type Palette, PALETTES, RISK_LEVELS, type Theme } from '../map/palette.ts';
import type { featuresOf, ZoneProperties } from './shapes.ts';

const EMPTY: FeatureCollection = { type: 'FeatureCollection', features: [] };
const HATCH = 'hatch';
const HATCH_SIZE = 12;

export interface ZoneMapOptions {
  readonly container: HTMLElement;
  readonly label: string;
  readonly theme: Theme;
  onChoose(zoneId: string | undefined): void;
}

/** The map of a city's zones: their areas in the colour of their risk, hatched where they were computed from old data. */
export class ZoneMap {
  readonly map: MapLibre;
  readonly #still = window.matchMedia('(prefers-reduced-motion: reduce)');
  #theme: Theme;
  /** What the map shows all of until somebody moves it, also when its place on the page changes. */
  #framed: Box | undefined;

  /** Makes a map that is ready to draw. Rejects where the browser cannot. */
  static async make(options: ZoneMapOptions): Promise<ZoneMap> {
    const made = new ZoneMap(options);
    await made.map.once('style.load');
    made.#hatch();
    return made;
  }

  private constructor({ container, label, theme, onChoose }: ZoneMapOptions) {
    this.#theme = theme;
    this.map = makeMap({ container, style: styleFor(PALETTES[theme]), center: [0, 20], zoom: 1 }, label);
    const zoneAt = (point: { readonly x: number; readonly y: number }) =>
      (this.map.queryRenderedFeatures([point.x, point.y], { layers: ['zones'] })[0]?.properties as ZoneProperties | undefined)?.zoneId;
    this.map.on('click', ({ point }) => onChoose(zoneAt(point)));
    this.map.on('dragstart', () => this.#letGo());
    this.map.on('zoomstart', ({ originalEvent }) => originalEvent && this.#letGo());
    this.map.on('resize', () => this.#framed && this.show(this.#framed, false));
    this.map.on('mousemove', ({ point }) => {
      this.map.getCanvas().style.cursor = zoneAt(point) === undefined ? '' : 'pointer';
    });
  }

  draw({ areas, names }: ReturnType<typeof featuresOf>): void {
    void this.map.getSource<GeoJSONSource>('zones')?.setData(areas);
    void this.map.getSource<GeoJSONSource>('names')?.setData(names);
  }

  choose(zoneId: string | undefined): void {
    this.map.setFilter('chosen', ['==', ['get', 'zoneId'], zoneId ?? '']);
  }

  setTheme(theme: Theme): void {
    this.#theme = theme;
    const palette = PALETTES[theme];
    paintBackground(this.map, palette);
    for (const [layer, paint] of Object.entries(paintsFor(palette))) {
      for (const [name, value] of Object.entries(paint)) this.map.setPaintProperty(layer, name as never, value as never);
    }
    this.#hatch();
  }

  setLabel(label: string): void {
    this.map.getCanvas().setAttribute('aria-label', label);
  }

  show(box: Box, animated: boolean): void {
    const { north, south, east, west } = box;
    this.#framed = box;
    this.map.fitBounds(new LngLatBounds([west, south], [east, north]), { padding: { top: 36, right: 60, bottom: 76, left: 36 }, duration: animated && !this.#still.matches ? 700 : 0 });
  }

  zoomBy(steps: number): void {
    this.#letGo();
    this.map.zoomTo(this.map.getZoom() + steps, { duration: this.#still.matches ? 0 : 250 });
  }

  /** Lays under the zones what the server is configured for, and says whom to name for it. The map is whole without it. */
  async layConfigured(): Promise<string | undefined> {
    const background: Background | null = await fetchBackground();
    if (!background) return undefined;
    await layBackground(this.map, background, PALETTES[this.#theme], 'zones');
    return background.attribution ?? undefined;
  }

  remove(): void {
    this.map.remove();
  }

  #letGo(): void {
    this.#framed = undefined;
  }

  /** Slanted lines in the colour of the ground: what is old shows through less. */
  #hatch(): void {
    const canvas = document.createElement('canvas');
    canvas.width = HATCH_SIZE;
    canvas.height = HATCH_SIZE;
    const context = canvas.getContext('2d');
    if (!context) return;
    context.strokeStyle = PALETTES[this.#theme].ground;
    context.lineWidth = 3.5;
    for (const shift of [-HATCH_SIZE, 0, HATCH_SIZE]) {
      context.beginPath();
      context.moveTo(shift - 2, HATCH_SIZE + 2);
      context.lineTo(shift + HATCH_SIZE + 2, -2);
      context.stroke();
    }
    const image = context.getImageData(0, 0, HATCH_SIZE, HATCH_SIZE);
    if (this.map.hasImage(HATCH)) this.map.updateImage(HATCH, image);
    else this.map.addImage(HATCH, image);
    this.map.setPaintProperty('zones-old', 'fill-pattern', HATCH);
  }
}

function paintsFor(palette: Palette): Record<string, Record<string, unknown>> {
  const colours = RISK_LEVELS.flatMap((level, step) => [level, palette.risk[step]]);
  return {
    ground: { 'background-color': palette.ground },
    zones: { 'fill-color': ['match', ['get', 'level'], ...colours, palette.quiet], 'fill-opacity': ['match', ['get', 'level'], 'NONE', 0.25, 0.72] },
    'zones-old': { 'fill-opacity': 0.5 },
    'zone-edges': { 'line-color': palette.rim, 'line-width': 1.5 },
    chosen: { 'line-color': palette.ink, 'line-width': 3.5 },
    names: { 'text-color': palette.ink, 'text-halo-color': palette.ground, 'text-halo-width': 1.8 },
  };
}

function styleFor(palette: Palette): StyleSpecification {
  const paints = paintsFor(palette);
  const layers = [
    { id: 'ground', type: 'background' },
    { id: 'zones', type: 'fill', source: 'zones' },
    { id: 'zones-old', type: 'fill', source: 'zones', filter: ['get', 'old'] },
    { id: 'zone-edges', type: 'line', source: 'zones' },
    { id: 'chosen', type: 'line', source: 'zones', filter: ['==', ['get', 'zoneId'], ''], layout: { 'line-join': 'round' } },
    {
      id: 'names',
      type: 'symbol',
      source: 'names',
      layout: { 'text-field': ['get', 'label'], 'text-font': ['system-ui', 'sans-serif'], 'text-size': ['interpolate', ['linear'], ['zoom'], 9, 11, 14, 14], 'text-max-width': 8, 'text-padding': 2 },
    },
  ] as LayerSpecification[];
  return {
    version: 8,
    sources: { zones: { type: 'geojson', data: EMPTY, tolerance: 0.3 }, names: { type: 'geojson', data: EMPTY } },
    layers: layers.map((layer) => ({ ...layer, paint: paints[layer.id] ?? {} })) as LayerSpecification[],
  };
}
