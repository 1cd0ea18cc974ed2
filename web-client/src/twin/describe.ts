import type { Kind, TwinEntity } from '../api/index.ts';
import type { Key, Texts } from '../i18n/texts.ts';
import { idParts } from './kinds.ts';

/** One value of an entity as a person reads it. */
export interface Row {
  readonly label: string;
  readonly value: string;
  /** The large one on top: what the entity is there for. */
  readonly chief?: boolean;
}

/** A value that changes and can be drawn over time. */
export interface Measure {
  readonly label: Key;
  /** How a value is written, with its unit. */
  format(value: number, texts: Texts): string;
  of(fields: Readonly<Record<string, unknown>>): number | undefined;
}

const OWN_ID_FIELDS: Record<Kind, string> = {
  DISTRICT: 'districtId',
  SENSOR: 'sensorId',
  BUILDING: 'buildingId',
  WEATHER_STATION: 'stationId',
  NODE: 'nodeId',
  EDGE: 'edgeId',
  BUS: 'busId',
  STATION: 'stationId',
  INCIDENT: 'incidentId',
  UNIT: 'unitId',
};

/** The entity's own id, as its city calls it. */
export function ownIdOf(entity: TwinEntity): string {
  return textOf(entity.fields[OWN_ID_FIELDS[entity.kind]]) ?? idParts(entity.id)?.ownId ?? entity.id;
}

/** What a person calls it: its name, else what it is, else its id. */
export function titleOf(entity: TwinEntity, texts: Texts): string {
  const { kind, fields } = entity;
  const name = textOf(fields['name']);
  if (name) return name;
  const type = textOf(fields['type']);
  if (type && (kind === 'INCIDENT' || kind === 'SENSOR')) return texts.word('type', type);
  return ownIdOf(entity);
}

/** What stands below the title: its kind, its type where that is not the title, its id. */
export function subtitleOf(entity: TwinEntity, texts: Texts): string {
  const { kind, fields } = entity;
  const type = textOf(kind === 'EDGE' ? fields['class'] : fields['type']);
  const title = titleOf(entity, texts);
  const words = [texts.say(`kind.${kind}`), type && typeWord(kind, type, texts), ownIdOf(entity)];
  return words.filter((word, i) => word && word !== title && words.indexOf(word) === i).join(' · ');
}

function typeWord(kind: Kind, type: string, texts: Texts): string {
  return texts.word('type', kind === 'EDGE' && type === 'residential' ? 'residential_road' : type);
}

/** The moment of its last event in Unix milliseconds. */
export function updatedAt(entity: TwinEntity): number | undefined {
  const at = Date.parse(textOf(entity.fields['lastUpdated']) ?? '');
  return Number.isNaN(at) ? undefined : at;
}

/** The values of an entity, what matters most first. Null ones are left out: they are not known. */
export function rowsOf(entity: TwinEntity, texts: Texts): Row[] {
  const { kind, fields, district } = entity;
  const rows: Row[] = [];
  const add = (label: Key, value: string | undefined, chief = false) => {
    if (value !== undefined) rows.push({ label: texts.say(label), value, chief });
  };
  const word = (field: string, set: 'word' | 'type' = 'word') => {
    const value = textOf(fields[field]);
    return value === undefined ? undefined : texts.word(set, value);
  };
  for (const [i, measured] of measuresOf(kind).entries()) {
    const value = measured.of(fields);
    if (value === undefined) continue;
    rows.push({ label: measureLabel(entity, measured, texts), value: measureText(entity, measured, value, texts), chief: i === 0 });
  }
  if (kind === 'EDGE') {
    const traffic = objectOf(fields['trafficConditions']);
    const level = textOf(traffic?.['congestionLevel']);
    add('field.congestionLevel', level && texts.word('congestion', level));
    const limit = numberOf(fields['speedLimit']);
    add('field.speedLimit', limit === undefined ? undefined : kmh(limit, texts));
    const length = numberOf(fields['length']);
    add('field.length', length === undefined ? undefined : metres(length, texts));
    const lanes = numberOf(fields['lanes']);
    add('field.lanes', lanes === undefined ? undefined : texts.number(lanes));
  }
  if (kind === 'BUILDING') {
    const capacity = numberOf(fields['totalCapacity']);
    add('field.totalCapacity', capacity === undefined ? undefined : texts.number(capacity));
  }
  if (kind === 'INCIDENT') {
    add('field.severity', word('severity'), true);
    add('field.description', textOf(fields['description']));
    const reported = Date.parse(textOf(fields['reportedAt']) ?? '');
    add('field.reportedAt', Number.isNaN(reported) ? undefined : texts.moment(reported));
  }
  add('field.status', word('status'), kind === 'UNIT');
  if (kind === 'BUS') {
    add('field.routeId', textOf(fields['routeId']));
    const heading = numberOf(fields['heading']);
    add('field.heading', heading === undefined ? undefined : `${texts.number(heading)}°`);
  }
  if (kind === 'SENSOR') add('field.building', textOf(fields['buildingId']));
  if (kind === 'NODE') add('field.type', word('type', 'type'));
  add('field.district', district);
  return rows;
}

const count = (value: number, texts: Texts) => texts.number(value);
const kmh = (value: number, texts: Texts) => `${texts.number(value, 1)} km/h`;
const metres = (value: number, texts: Texts) => `${texts.number(value, value < 100 ? 1 : 0)} m`;

function measure(label: Key, path: string, format: Measure['format']): Measure {
  const [first = '', second] = path.split('.');
  const of = (fields: Readonly<Record<string, unknown>>) => numberOf(second === undefined ? fields[first] : objectOf(fields[first])?.[second]);
  return { label, format, of };
}

const unitless = (unit: string, decimals: number) => (value: number, texts: Texts) => `${texts.number(value, decimals)} ${unit}`;

const MEASURES: Partial<Record<Kind, readonly Measure[]>> = {
  SENSOR: [measure('field.value', 'value', (value, texts) => texts.number(value, 1))],
  BUILDING: [
    measure('field.occupancyRate', 'occupancyRate', (value, texts) => texts.percent(value)),
    measure('field.currentOccupancy', 'currentOccupancy', count),
  ],
  WEATHER_STATION: [
    measure('field.temperature', 'readings.temperature', unitless('°C', 1)),
    measure('field.humidity', 'readings.humidity', unitless('%', 0)),
    measure('field.pressure', 'readings.pressure', unitless('hPa', 1)),
    measure('field.windSpeed', 'readings.windSpeed', kmh),
    measure('field.windDirection', 'readings.windDirection', (value, texts) => `${texts.number(value)}°`),
    measure('field.precipitation', 'readings.precipitation', unitless('mm', 1)),
  ],
  BUS: [measure('field.speed', 'speed', kmh), measure('field.passengerCount', 'passengerCount', count)],
  STATION: [measure('field.waitingPassengers', 'waitingPassengers', count)],
  EDGE: [
    measure('field.averageSpeed', 'trafficConditions.averageSpeed', kmh),
    measure('field.vehicleCount', 'trafficConditions.vehicleCount', count),
    measure('field.travelTime', 'trafficConditions.travelTime', unitless('s', 0)),
  ],
};

/** What can be drawn over time of a kind, the chief one first. */
export function measuresOf(kind: Kind): readonly Measure[] {
  return MEASURES[kind] ?? [];
}

/** What a measure of this entity is called: of a sensor that is its type. */
export function measureLabel(entity: TwinEntity, measured: Measure, texts: Texts): string {
  return entity.kind === 'SENSOR' ? sensorLabel(entity.fields, texts) : texts.say(measured.label);
}

/** A value of this entity as a person reads it, with its unit. */
export function measureText(entity: TwinEntity, measured: Measure, value: number, texts: Texts): string {
  return entity.kind === 'SENSOR' ? sensorValue(entity.fields, value, texts) : measured.format(value, texts);
}

function sensorLabel(fields: Readonly<Record<string, unknown>>, texts: Texts): string {
  const type = textOf(fields['type']);
  return type ? texts.word('type', type) : texts.say('field.value');
}

function sensorValue(fields: Readonly<Record<string, unknown>>, value: number, texts: Texts): string {
  const unit = textOf(fields['unit']);
  return unit ? `${texts.number(value, 1)} ${texts.word('unit', unit)}` : texts.number(value, 1);
}

/** What a list says of an entity in a few words: its chief value, else its status. */
export function briefOf(entity: TwinEntity, texts: Texts): string {
  const rows = rowsOf(entity, texts);
  return (rows.find((row) => row.chief) ?? rows.find((row) => row.label === texts.say('field.status')))?.value ?? '';
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

export function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}
