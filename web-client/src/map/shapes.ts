import type { PointKind } from '../twin/kinds.ts';

/** The side of the square that shapes and signs are drawn in; its middle is where the entity is. */
export const BOX = 24;

/** The outline of each kind: what tells kinds apart without any colour. As the data of an SVG path. */
export const SHAPES: Record<PointKind, string> = {
  SENSOR: 'M12 3a9 9 0 1 1 0 18a9 9 0 0 1 0-18Z',
  BUILDING: 'M6 3.8h12a2.2 2.2 0 0 1 2.2 2.2v12a2.2 2.2 0 0 1-2.2 2.2H6A2.2 2.2 0 0 1 3.8 18V6A2.2 2.2 0 0 1 6 3.8Z',
  WEATHER_STATION: 'M7.1 19.2a5.2 5.2 0 0 1-.8-10.3A6.5 6.5 0 0 1 18.7 10.2a4.6 4.6 0 0 1-.8 9Z',
  NODE: 'M12 8a4 4 0 1 1 0 8a4 4 0 0 1 0-8Z',
  STATION: 'M11 2.9a2 2 0 0 1 2 0l6.4 3.7a2 2 0 0 1 1 1.7v7.4a2 2 0 0 1-1 1.7L13 21.1a2 2 0 0 1-2 0l-6.4-3.7a2 2 0 0 1-1-1.7V8.3a2 2 0 0 1 1-1.7Z',
  // Points to the north; turned by its heading.
  BUS: 'M12 1.6c2.4 0 6 3.9 6 6.8v11a2.2 2.2 0 0 1-2.2 2.2H8.2A2.2 2.2 0 0 1 6 19.4v-11c0-2.9 3.6-6.8 6-6.8Z',
  INCIDENT: 'M10.1 3.4a2.2 2.2 0 0 1 3.8 0l8.1 14.3a2.2 2.2 0 0 1-1.9 3.3H3.9A2.2 2.2 0 0 1 2 17.7Z',
  UNIT: 'M10.5 2.5a2.1 2.1 0 0 1 3 0l8 8a2.1 2.1 0 0 1 0 3l-8 8a2.1 2.1 0 0 1-3 0l-8-8a2.1 2.1 0 0 1 0-3Z',
};

/** A sign on a shape: drawn as a line, or filled. */
export interface Sign {
  readonly path: string;
  readonly filled?: boolean;
}

const DOT: Sign = { path: 'M12 9.4a2.6 2.6 0 1 1 0 5.2a2.6 2.6 0 0 1 0-5.2Z', filled: true };

export const BUILDING_SIGN: Sign = { path: 'M8 8h2.6v2.6H8ZM13.4 8H16v2.6h-2.6ZM8 13.4h2.6V16H8ZM13.4 13.4H16V16h-2.6Z', filled: true };
export const STATION_SIGN: Sign = { path: 'M9.2 8v8M14.8 8v8M9.2 12h5.6' };
export const BUS_SIGN: Sign = { path: 'M8.2 10.2c.5-2 2.2-3.7 3.8-3.7s3.3 1.7 3.8 3.7Z', filled: true };
export const INCIDENT_SIGN: Sign = { path: 'M12 9v5M12 17.6v.1' };

/** By `type` of a sensor. */
export const SENSOR_SIGNS: Record<string, Sign> = {
  air_quality: { path: 'M7.6 10.3c1.5-1.4 2.9-1.4 4.4 0s2.9 1.4 4.4 0M7.6 14.1c1.5-1.4 2.9-1.4 4.4 0s2.9 1.4 4.4 0' },
  noise: { path: 'M8.3 10.5v3M12 7.8v8.4M15.7 9.8v4.4' },
  temperature: { path: 'M10.8 7.8a1.2 1.2 0 0 1 2.4 0v4.7a2.7 2.7 0 1 1-2.4 0Z', filled: true },
  traffic_flow: { path: 'M8 8.6l3.4 3.4L8 15.4M12.6 8.6L16 12l-3.4 3.4' },
  energy_consumption: { path: 'M13.2 6.6L8.7 12.8h2.9l-.8 4.6 4.5-6.2h-2.9Z', filled: true },
};

/** By `type` of a unit. */
export const UNIT_SIGNS: Record<string, Sign> = {
  ambulance: { path: 'M12 8v8M8 12h8' },
  fire_truck: { path: 'M12.3 6.9c.3 2.3 3.2 3.3 3.2 6.2a3.5 3.5 0 0 1-7 0c0-1.4.8-2.1 1.3-3 .5.9.9 1.1 1.3 1 .4-1.2.2-2.9 1.2-4.2Z', filled: true },
  police: { path: 'M12 7l1.5 3.3 3.6.4-2.7 2.4.8 3.5L12 14.8l-3.2 1.8.8-3.5-2.7-2.4 3.6-.4Z', filled: true },
};

/** The sign of a type that has none of its own. */
export const OTHER_SIGN = DOT;
