import { type Box, fetchBackground } from '../api/index.ts';
import type { Page } from '../page/context.ts';
import { positionOf, union } from '../twin/geometry.ts';
import type { LiveCity } from '../twin/liveCity.ts';
import { look } from './look.ts';
import { type Target, TwinMap, type View } from './twinMap.ts';

const WORLD: Box = { north: 70, south: -60, east: 180, west: -180 };

declare global {
  interface Window {
    /** The map and what it shows, for the browser's console and for tests. */
    citytwin?: { readonly map: TwinMap; readonly page: Page };
  }
}

/** Who hears what the pointer is on. */
export type OnHover = (target: Target, at: { readonly x: number; readonly y: number }) => void;

/**
 * Opens the map in `container`, where it looks at `view` or at the world, and keeps it to what the page shows. Returns how to close it;
 * rejects where it cannot be drawn.
 */
export async function openMap(container: HTMLElement, page: Page, view: View | undefined, onHover: OnHover): Promise<() => void> {
  const { city, state, preferences, map: handle } = page;
  const map = await TwinMap.make({
    container,
    label: preferences.texts.get().say('app.map'),
    theme: preferences.lit.get(),
    view: view ?? { centre: [0, 20], zoom: 1 },
    countLabel: (count) => preferences.texts.get().compact(count),
    onLook: (box, { zoom }) => look(page, box, zoom),
    onSettle: (settled) => state.view.set(settled),
    onChoose: (target) => state.chosen.set(target && { id: 'cell' in target ? target.cell : target.entity }),
    onHover,
  });
  handle.map = map;
  window.citytwin = { map, page };
  // The address may have changed meanwhile.
  const wanted = state.view.get();
  if (!wanted) map.show(city.frame() ?? WORLD, handle.insets(), false);
  else if (wanted !== view) map.jumpTo(wanted);

  // Where neither an address nor a district says where the city is, it is where its first entities are.
  let seeks = !view;
  const stops = [
    city.onUpdate((update) => {
      map.apply(update, city.cells);
      const extent = seeks && update.complete ? extentOf(city) : undefined;
      if (!extent) return;
      seeks = false;
      handle.show(extent);
    }),
    follow(city.districts, () => map.nameDistricts(city.districts.get() ?? [])),
    follow(state.chosen, chosenFollower(page, map)),
    preferences.lit.subscribe(() => map.setTheme(preferences.lit.get())),
    preferences.texts.subscribe(() => map.setLabel(preferences.texts.get().say('app.map'))),
    state.layers.subscribe(() => look(page, map.box, map.view.zoom)),
    // An address that was typed or followed.
    state.view.subscribe(() => {
      const next = state.view.get();
      if (next && next !== map.settled) map.jumpTo(next);
    }),
  ];
  void layConfigured(map, page);
  map.begin([...city.entities.values()], city.cells, city.connection.get().state === 'live');

  return () => {
    for (const stop of stops) stop();
    handle.map = undefined;
    map.remove();
  };
}

/** Lays under the city what the server is configured for, and names whom it is from. The map is whole without it. */
async function layConfigured(map: TwinMap, { state }: Page): Promise<void> {
  try {
    const background = await fetchBackground();
    if (!background) return;
    await map.lay(background);
    state.attribution.set(background.attribution ?? undefined);
  } catch (error) {
    console.warn('The map has no background:', error);
  }
}

/** Does something now and whenever a source changes. */
function follow(source: { subscribe(listener: () => void): () => void }, act: () => void): () => void {
  act();
  return source.subscribe(act);
}

/** Marks what is chosen on the map, and goes there where that is wanted, as soon as it is known where it is. */
function chosenFollower({ city, state, map: handle }: Page, map: TwinMap): () => void {
  let stop: (() => void) | undefined;
  return () => {
    stop?.();
    stop = undefined;
    const chosen = state.chosen.get();
    if (!chosen || chosen.id.startsWith('cell/')) return map.choose(undefined);
    let seeks = chosen.goTo === 'where it is';
    if (chosen.goTo && chosen.goTo !== 'where it is') handle.goTo(chosen.goTo);
    const watch = city.watch(chosen.id);
    const place = () => {
      const { entity, state: is } = watch.watched;
      const at = entity && positionOf(entity);
      map.choose(chosen.id, is === 'gone' ? undefined : at);
      if (!seeks || !at) return;
      seeks = false;
      handle.goTo(at);
    };
    place();
    const unsubscribe = watch.subscribe(place);
    stop = () => {
      unsubscribe();
      watch.close();
    };
  };
}

/** The box around all that is in view. */
function extentOf(city: LiveCity): Box | undefined {
  let box: Box | undefined;
  for (const cell of city.cells.values()) box = union(box, cell);
  for (const entity of city.entities.values()) {
    const at = positionOf(entity);
    if (at) box = union(box, { north: at[1], south: at[1], east: at[0], west: at[0] });
  }
  return box;
}
