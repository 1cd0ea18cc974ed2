import { LngLatBounds, type Map as MapLibre, type MapMouseEvent, Marker } from 'maplibre-gl';
import type { Background, Box, Cell, TwinEntity, TwinUpdate } from '../api/index.ts';
import { boundariesOf, type Position, positionOf } from '../twin/geometry.ts';
import { moves, type PointKind } from '../twin/kinds.ts';
import { layBackground, paintBackground } from './background.ts';
import { NEAREST } from './camera.ts';
import { drawCells } from './cells.ts';
import { makeMap } from './engine.ts';
import { Overlay } from './overlay.ts';
import { PALETTES, type Theme } from './palette.ts';
import { Roads } from './roads.ts';
import { lookOf, SPRITES } from './sprites.ts';
import { paintsFor, styleFor, TOUCHABLE_CELLS } from './style.ts';

/** Where the map looks: centre and zoom. */
export interface View {
  readonly centre: Position;
  readonly zoom: number;
}

/** What the pointer is on. */
export type Target = { readonly entity: string } | { readonly cell: string } | undefined;

export interface TwinMapOptions {
  readonly container: HTMLElement;
  readonly label: string;
  readonly theme: Theme;
  readonly view: View;
  /** How a number is written on a square. */
  readonly countLabel: (count: number) => string;
  /** The map looks elsewhere; told while it moves, too. */
  onLook(box: Box, view: View): void;
  onSettle(view: View): void;
  onChoose(target: Target): void;
  onHover(target: Target, at: { readonly x: number; readonly y: number }): void;
}

// A fingertip is wider than an icon.
const REACH = { mouse: 7, touch: 16 };
// From the edge of a road.
const ROAD_REACH = { mouse: 4, touch: 10 };

const LOOK_INTERVAL_MS = 200;

// What comes in parts is drawn with its last one, or after this time: to draw each part would keep the next ones waiting.
const GATHER_MS = 1000;

/** The map: MapLibre moves it and draws squares and names, the roads are a layer of it, and the overlay is all that is a point. */
export class TwinMap {
  readonly map: MapLibre;
  readonly overlay: Overlay;
  readonly roads: Roads;
  readonly #options: TwinMapOptions;
  readonly #names = new Map<string, Marker>();
  readonly #still = window.matchMedia('(prefers-reduced-motion: reduce)');
  readonly #ring: HTMLElement;
  /** The view that `onSettle` was told last. */
  settled: View | undefined;
  #theme: Theme;
  #hasStyle = true;
  #hasNewRoads = false;
  #gathering: ReturnType<typeof setTimeout> | undefined;
  #cells: ReadonlyMap<string, Cell> = new Map();
  #chosen: string | undefined;
  #chosenAt: Position | undefined;
  #lookedAt = 0;
  #lookTimer: ReturnType<typeof setTimeout> | undefined;
  #hoverFrame: number | undefined;

  /** Makes a map that is ready to draw. Rejects where the browser cannot. */
  static async make(options: TwinMapOptions): Promise<TwinMap> {
    const made = new TwinMap(options);
    await made.map.once('style.load');
    made.roads.lay();
    made.#listen();
    return made;
  }

  private constructor(options: TwinMapOptions) {
    this.#options = options;
    const { container, view, theme, label } = options;
    this.#theme = theme;
    this.map = makeMap({ container, style: styleFor(PALETTES[theme]), center: view.centre as [number, number], zoom: view.zoom }, label);
    this.overlay = new Overlay(PALETTES[theme], view.centre, () => this.#camera(), () => this.#moveRing());
    this.map.getCanvasContainer().append(this.overlay.canvas);
    this.#ring = document.createElement('div');
    this.#ring.className = 'chosen-ring';
    this.#ring.hidden = true;
    this.map.getCanvasContainer().append(this.#ring);
    this.roads = new Roads(this.map, PALETTES[theme], () => this.#camera());
  }

  /** Draws what is held already and begins to look: from now on `onLook` is told where. `complete`: no more of it is on its way. */
  begin(held: readonly TwinEntity[], cells: ReadonlyMap<string, Cell>, complete: boolean): void {
    const none = { updated: [], left: [], modeChanged: false, complete, snapshot: true };
    this.apply({ ...none, entered: held, cells: [...cells.values()], mode: cells.size > 0 ? 'CELLS' : 'ENTITIES' }, cells);
    this.#look(true);
  }

  get view(): View {
    const { lng, lat } = this.map.getCenter();
    return { centre: [lng, lat], zoom: this.map.getZoom() };
  }

  get box(): Box {
    const bounds = this.map.getBounds();
    return { north: bounds.getNorth(), south: bounds.getSouth(), east: bounds.getEast(), west: bounds.getWest() };
  }

  apply(update: TwinUpdate, cells: ReadonlyMap<string, Cell>): void {
    const now = performance.now();
    for (const { id } of update.left) this.#erase(id);
    for (const entity of update.entered) this.#place(entity, now);
    for (const { entity } of update.updated) if (entity.kind !== 'EDGE') this.#place(entity, now);
    this.#hasNewRoads = this.roads.apply(update) || this.#hasNewRoads;
    this.#cells = cells;
    if (update.cells.length > 0 || update.modeChanged) drawCells(this.map, cells.values(), this.#options.countLabel);
    if (update.complete) this.#show();
    else this.#gathering ??= setTimeout(() => this.#show(), GATHER_MS);
  }

  /** Names of districts, above each of them, so that they cover nothing in it. */
  nameDistricts(districts: readonly TwinEntity[]): void {
    const wanted = new Map(districts.map((district) => [district.id, district]));
    for (const [id, marker] of this.#names) {
      if (wanted.has(id)) continue;
      marker.remove();
      this.#names.delete(id);
    }
    for (const [id, district] of wanted) {
      const box = boundariesOf(district);
      const at: Position | undefined = box ? [(box.east + box.west) / 2, box.north] : positionOf(district);
      if (!at) continue;
      const known = this.#names.get(id);
      const marker = known ?? new Marker({ element: nameplate(), anchor: 'bottom' });
      marker.getElement().textContent = String(district.fields['name'] ?? '');
      marker.setLngLat(at as [number, number]);
      if (known) continue;
      marker.addTo(this.map);
      this.#names.set(id, marker);
    }
  }

  setTheme(theme: Theme): void {
    this.#theme = theme;
    if (this.#hasStyle) this.#paint();
    this.roads.setPalette(PALETTES[theme]);
    this.overlay.setPalette(PALETTES[theme]);
  }

  /** Marks what is chosen. `at` is where it is, for what the view does not hold. */
  choose(id: string | undefined, at?: Position): void {
    this.#chosen = id;
    this.#chosenAt = at;
    this.roads.choose(id);
    this.#moveRing();
  }

  /** Lays something under the city. */
  lay(background: Background): Promise<void> {
    return layBackground(this.map, background, PALETTES[this.#theme], 'cells');
  }

  /** What a screen reader calls the map. */
  setLabel(label: string): void {
    this.map.getCanvas().setAttribute('aria-label', label);
  }

  jumpTo({ centre, zoom }: View): void {
    this.map.jumpTo({ center: centre as [number, number], zoom });
  }

  /** Goes there, near enough to see one thing; `space` is what panels cover, in CSS pixels. */
  goTo(at: Position, space: Insets, zoom = Math.max(this.map.getZoom(), 16)): void {
    this.map.easeTo({ center: at as [number, number], zoom, offset: [(space.left - space.right) / 2, (space.top - space.bottom) / 2], duration: this.#still.matches ? 0 : 700 });
  }

  /** Shows all of a box. */
  show({ north, south, east, west }: Box, space: Insets, animated = true): void {
    this.map.fitBounds(new LngLatBounds([west, south], [east, north]), {
      padding: space,
      maxZoom: NEAREST,
      duration: animated && !this.#still.matches ? 700 : 0,
    });
  }

  zoomBy(steps: number): void {
    this.map.zoomTo(this.map.getZoom() + steps, { duration: this.#still.matches ? 0 : 250 });
  }

  remove(): void {
    clearTimeout(this.#lookTimer);
    if (this.#hoverFrame !== undefined) cancelAnimationFrame(this.#hoverFrame);
    clearTimeout(this.#gathering);
    this.overlay.remove();
    this.map.remove();
  }

  #camera() {
    const { centre, zoom } = this.view;
    const { clientWidth: width, clientHeight: height } = this.#options.container;
    return { centre, zoom, width, height };
  }

  /** Draws what has come. */
  #show(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    if (this.#hasNewRoads) this.map.triggerRepaint();
    this.#hasNewRoads = false;
    this.overlay.wake();
  }

  #paint(): void {
    const palette = PALETTES[this.#theme];
    paintBackground(this.map, palette);
    for (const [layer, paint] of Object.entries(paintsFor(palette))) {
      for (const [name, value] of Object.entries(paint)) this.map.setPaintProperty(layer, name as never, value as never);
    }
  }

  #listen(): void {
    const { map } = this;
    // Without its graphics card MapLibre has no style; with it comes the one that there was then, and nothing that happened since.
    map.on('webglcontextlost', () => {
      this.#hasStyle = false;
    });
    map.on('style.load', () => {
      this.#hasStyle = true;
      this.roads.lay();
      this.#paint();
      drawCells(map, this.#cells.values(), this.#options.countLabel);
    });
    // Points are drawn in the same frame as the ground below them, so that they never swim over it.
    map.on('render', () => this.overlay.draw());
    map.on('resize', () => this.overlay.draw());
    map.on('move', () => this.#look(false));
    map.on('moveend', () => {
      this.#look(true);
      this.settled = this.view;
      this.#options.onSettle(this.settled);
    });
    map.on('click', (event) => this.#options.onChoose(this.#targetAt(event)));
    map.on('mousemove', (event) => this.#hover(event));
    map.on('mouseout', () => this.#options.onHover(undefined, { x: 0, y: 0 }));
  }

  /** Tells where the map looks, at most a few times a second while it moves. */
  #look(now: boolean): void {
    const wait = this.#lookedAt + LOOK_INTERVAL_MS - performance.now();
    if (!now && wait > 0) {
      this.#lookTimer ??= setTimeout(() => this.#look(true), wait);
      return;
    }
    clearTimeout(this.#lookTimer);
    this.#lookTimer = undefined;
    this.#lookedAt = performance.now();
    this.#options.onLook(this.box, this.view);
  }

  #hover(event: MapMouseEvent): void {
    this.#hoverFrame ??= requestAnimationFrame(() => {
      this.#hoverFrame = undefined;
      if (this.map.isMoving()) return;
      const target = this.#targetAt(event);
      this.map.getCanvas().style.cursor = target ? 'pointer' : '';
      this.#options.onHover(target, event.point);
    });
  }

  #targetAt({ point, originalEvent }: MapMouseEvent): Target {
    const touched = 'pointerType' in originalEvent && originalEvent.pointerType === 'touch';
    const reach = touched ? REACH.touch : REACH.mouse;
    const entity = this.overlay.pick(point, reach);
    if (entity !== undefined) return { entity };
    // Where squares stand for what is there, the roads below them are a hair wide.
    const [cell] = this.map.queryRenderedFeatures(point, { layers: TOUCHABLE_CELLS });
    if (cell) return { cell: String(cell.properties['id']) };
    const id = this.roads.pick(point, touched ? ROAD_REACH.touch : ROAD_REACH.mouse);
    return id === undefined ? undefined : { entity: id };
  }

  #place(entity: TwinEntity, now: number): void {
    const kind = entity.kind as PointKind;
    const columns = this.overlay.columns.get(kind);
    if (!columns) return;
    const at = positionOf(entity);
    if (!at) {
      columns.remove(entity.id);
      return;
    }
    const heading = kind === 'BUS' && typeof entity.fields['heading'] === 'number' ? entity.fields['heading'] : 0;
    const sprite = SPRITES.get(lookOf(kind, entity.fields)) ?? 0;
    columns.set(entity.id, { at, heading, sprite }, now, !moves(kind) || this.#still.matches);
  }

  #erase(id: string): void {
    for (const columns of this.overlay.columns.values()) columns.remove(id);
  }

  #moveRing(): void {
    const isRoad = this.roads.has(this.#chosen);
    const at = this.#chosen === undefined || isRoad ? undefined : (this.overlay.place(this.#chosen) ?? this.#chosenAt);
    this.#ring.hidden = at === undefined;
    if (!at) return;
    const { x, y } = this.map.project(at as [number, number]);
    this.#ring.style.transform = `translate(${x}px, ${y}px)`;
  }
}

function nameplate(): HTMLElement {
  const element = document.createElement('div');
  element.className = 'district-name';
  element.setAttribute('aria-hidden', 'true');
  return element;
}

/** What panels cover of the map on each side, in CSS pixels. */
export interface Insets {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}
