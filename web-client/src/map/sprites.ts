import type { TwinEntity } from '../api/index.ts';
import { numberOf, textOf } from '../twin/describe.ts';
import type { PointKind } from '../twin/kinds.ts';
import type { Palette } from './palette.ts';
import { BOX, BUILDING_SIGN, BUS_SIGN, INCIDENT_SIGN, OTHER_SIGN, SENSOR_SIGNS, SHAPES, type Sign, STATION_SIGN, UNIT_SIGNS } from './shapes.ts';

/** How one icon looks. */
export interface Look {
  readonly kind: PointKind;
  readonly sign: Sign | undefined;
  fill(palette: Palette): string;
  /** Only an outline: it is there, but silent, out of service or over. */
  readonly hollow?: boolean;
  /** Share of the usual size: what is over shall not shout. */
  readonly scale?: number;
}

const SENSOR_TYPES = [...Object.keys(SENSOR_SIGNS), undefined];
const UNIT_TYPES = [...Object.keys(UNIT_SIGNS), undefined];
const UNIT_STATUSES = ['available', 'dispatched', 'on_scene'] as const;
const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const;

function sensorSign(type: string | undefined): Sign {
  return (type !== undefined && SENSOR_SIGNS[type]) || OTHER_SIGN;
}

function unitSign(type: string | undefined): Sign {
  return (type !== undefined && UNIT_SIGNS[type]) || OTHER_SIGN;
}

const quiet = (palette: Palette) => palette.quiet;

/** All icons there are, by name. The order is that of the atlas. */
export const LOOKS: ReadonlyMap<string, Look> = new Map<string, Look>([
  ...SENSOR_TYPES.flatMap((type): [string, Look][] => [
    [`SENSOR/${type ?? 'other'}`, { kind: 'SENSOR', sign: sensorSign(type), fill: (palette) => palette.sensor }],
    [`SENSOR/${type ?? 'other'}/quiet`, { kind: 'SENSOR', sign: sensorSign(type), fill: quiet, hollow: true }],
  ]),
  ...[0, 1, 2, 3, 4].map((step): [string, Look] => [
    `BUILDING/${step}`,
    { kind: 'BUILDING', sign: BUILDING_SIGN, fill: (palette) => palette.occupancy[step]! },
  ]),
  ['BUILDING/quiet', { kind: 'BUILDING', sign: BUILDING_SIGN, fill: quiet, hollow: true }],
  ['WEATHER_STATION', { kind: 'WEATHER_STATION', sign: undefined, fill: (palette) => palette.weather }],
  ['WEATHER_STATION/quiet', { kind: 'WEATHER_STATION', sign: undefined, fill: quiet, hollow: true }],
  ['NODE', { kind: 'NODE', sign: undefined, fill: (palette) => palette.node }],
  ['STATION', { kind: 'STATION', sign: STATION_SIGN, fill: (palette) => palette.station }],
  ['BUS/in_service', { kind: 'BUS', sign: BUS_SIGN, fill: (palette) => palette.bus }],
  ['BUS/maintenance', { kind: 'BUS', sign: BUS_SIGN, fill: (palette) => palette.busMaintenance }],
  ['BUS/out_of_service', { kind: 'BUS', sign: BUS_SIGN, fill: quiet, hollow: true }],
  ...UNIT_TYPES.flatMap((type) =>
    UNIT_STATUSES.map((status): [string, Look] => [
      `UNIT/${type ?? 'other'}/${status}`,
      { kind: 'UNIT', sign: unitSign(type), fill: (palette) => palette.unit[status] },
    ]),
  ),
  ...SEVERITIES.map((severity): [string, Look] => [
    `INCIDENT/${severity}`,
    { kind: 'INCIDENT', sign: INCIDENT_SIGN, fill: (palette) => palette.severity[severity] },
  ]),
  ['INCIDENT/resolved', { kind: 'INCIDENT', sign: INCIDENT_SIGN, fill: quiet, hollow: true, scale: 0.6 }],
]);

/** Where each look stands in the atlas. */
export const SPRITES: ReadonlyMap<string, number> = new Map([...LOOKS.keys()].map((name, i) => [name, i]));

/** The name of the look that an entity has now. */
export function lookOf(kind: PointKind, fields: TwinEntity['fields']): string {
  const type = textOf(fields['type']);
  const status = textOf(fields['status']);
  switch (kind) {
    case 'SENSOR': {
      const known = type !== undefined && type in SENSOR_SIGNS ? type : 'other';
      return status === undefined || status === 'active' ? `SENSOR/${known}` : `SENSOR/${known}/quiet`;
    }
    case 'BUILDING': {
      const rate = numberOf(fields['occupancyRate']);
      return rate === undefined ? 'BUILDING/quiet' : `BUILDING/${rate > 1 ? 4 : Math.min(3, Math.floor(rate * 4))}`;
    }
    case 'WEATHER_STATION':
      return status === undefined || status === 'active' ? 'WEATHER_STATION' : 'WEATHER_STATION/quiet';
    case 'BUS':
      return `BUS/${status ?? 'in_service'}`;
    case 'UNIT':
      return `UNIT/${type !== undefined && type in UNIT_SIGNS ? type : 'other'}/${status ?? 'available'}`;
    case 'INCIDENT':
      return status === 'resolved' ? 'INCIDENT/resolved' : `INCIDENT/${textOf(fields['severity']) ?? 'low'}`;
    default:
      return kind;
  }
}

/** Icons a row in the atlas. */
export const ATLAS_COLUMNS = 8;
export const ATLAS_ROWS = Math.ceil(LOOKS.size / ATLAS_COLUMNS);

// Three pixels a unit: sharp at 24 CSS pixels on a screen with three pixels to each.
const SCALE = 3;
// Room around the box, so that rims are whole and neighbours do not bleed into smaller copies of the atlas.
const MARGIN = 4;

/** Units of an atlas cell: the box and its margins. */
export const CELL = BOX + 2 * MARGIN;

/** Draws all icons side by side, in the colours of a palette. */
export function drawAtlas(palette: Palette): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = ATLAS_COLUMNS * CELL * SCALE;
  canvas.height = ATLAS_ROWS * CELL * SCALE;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no 2D canvas');
  context.scale(SCALE, SCALE);
  for (const [i, look] of [...LOOKS.values()].entries()) {
    context.save();
    context.translate((i % ATLAS_COLUMNS) * CELL + MARGIN, Math.floor(i / ATLAS_COLUMNS) * CELL + MARGIN);
    if (look.scale !== undefined) {
      context.translate(BOX / 2, BOX / 2);
      context.scale(look.scale, look.scale);
      context.translate(-BOX / 2, -BOX / 2);
    }
    drawLook(context, look, palette);
    context.restore();
  }
  return canvas;
}

// The linter takes a context's `fill` for an array's.
/* oxlint-disable unicorn/no-array-fill-with-reference-type */
function drawLook(context: CanvasRenderingContext2D, look: Look, palette: Palette): void {
  const shape = new Path2D(SHAPES[look.kind]);
  const colour = look.fill(palette);
  context.lineJoin = 'round';
  context.lineCap = 'round';
  context.lineWidth = 3;
  context.strokeStyle = palette.rim;
  context.stroke(shape);
  context.fillStyle = look.hollow ? palette.rim : colour;
  context.fill(shape);
  if (look.hollow) {
    context.lineWidth = 1.8;
    context.strokeStyle = colour;
    context.stroke(shape);
  }
  if (!look.sign) return;
  const sign = new Path2D(look.sign.path);
  const ink = look.hollow ? colour : palette.sign;
  context.fillStyle = ink;
  context.strokeStyle = ink;
  context.lineWidth = 2.2;
  if (look.sign.filled) context.fill(sign);
  else context.stroke(sign);
}
