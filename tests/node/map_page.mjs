// What the scripts beside this file ask of the map at `/`. The page leaves its map and all it knows in `window.citytwin`.
import { eventually } from './browser.mjs';

/** What is drawn, by kind, how many roads there are to draw, and what the badge says. */
export const drawn = (page) =>
  page.evaluate(() => {
    const { map, page: shown } = globalThis.citytwin ?? {};
    if (!map) return { counts: {}, state: undefined };
    const { city } = shown;
    const counts = { EDGE: map.roads.count };
    for (const [kind, columns] of map.overlay.columns) counts[kind] = columns.count;
    let inCells = 0;
    for (const cell of city.cells.values()) inCells += cell.count;
    let roads = 0;
    for (const { kind } of city.entities.values()) roads += kind === 'EDGE' ? 1 : 0;
    return { counts, inCells, roads, mode: city.mode.get(), ...city.connection.get() };
  });

/** Waits until the page is live and has drawn what it has, and gives what is drawn then. */
export const live = (page, timeoutMs) =>
  eventually(
    'live',
    async () => {
      const now = await drawn(page);
      return now.state === 'live' && now.counts.EDGE === now.roads && now;
    },
    timeoutMs,
  );

/** The box that the page has asked for; undefined until it holds all that the map shows. */
export async function askedBox(page) {
  const seen = await page.evaluate(() => globalThis.citytwin.map.box);
  const { box } = page.asked.filter;
  const holds = box.north >= seen.north && box.south <= seen.south && box.east >= seen.east && box.west <= seen.west;
  return holds ? box : undefined;
}

/** Where a bus is seen now, in CSS pixels and degrees; null where it is not. */
export const seen = (page, id) =>
  page.evaluate((bus) => {
    const { map } = globalThis.citytwin;
    const at = map.overlay.place(bus);
    if (!at) return null;
    const { x, y } = map.map.project(at);
    return { longitude: at[0], latitude: at[1], x, y };
  }, id);

/** Turns the map to a place at once. It returns nothing: Playwright would copy the whole map, with all that it holds, out of the page. */
export const jump = (page, longitude, latitude, zoom) =>
  page.evaluate(
    ([lng, lat, z]) => {
      globalThis.citytwin.map.map.jumpTo({ center: [lng, lat], zoom: z });
    },
    [longitude, latitude, zoom],
  );

/** Waits until MapLibre has nothing left to do. */
export const idle = (page) =>
  page.evaluate(() => new Promise((resolve) => {
    const { map } = globalThis.citytwin.map;
    map.once('idle', resolve);
    map.triggerRepaint();
  }));

/** Runs a query as any client would. */
export async function ask(server, query, variables = {}) {
  const response = await fetch(`${server}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

const LISTS = {
  EDGE: 'edges',
  SENSOR: 'sensors',
  BUILDING: 'buildings',
  WEATHER_STATION: 'weatherStations',
  BUS: 'buses',
  STATION: 'stations',
  INCIDENT: 'incidents',
  UNIT: 'units',
};

/** How many entities of each kind lie in a box, by a query of its own. */
export async function countInBox(server, box) {
  const fields = Object.entries(LISTS).map(([kind, list]) => `${kind}: ${list}(filter: $filter) { totalCount }`);
  const data = await ask(server, `query ($filter: EntityFilter) { ${fields.join(' ')} }`, { filter: { box } });
  return Object.fromEntries(Object.entries(data).map(([kind, { totalCount }]) => [kind, totalCount]));
}
