import type { LiveTopic } from '../api/cityLive.ts';

/** The pages of City Live, in the order of their tabs. */
export const LIVE_VIEWS = ['zones', 'stream', 'analytics', 'models', 'advice'] as const;
export type LiveView = (typeof LIVE_VIEWS)[number];

export const TOPICS: readonly LiveTopic[] = ['AQI_STREAM', 'POWER_DEMAND', 'TRAFFIC_EVENTS', 'GRID_ALERTS', 'INCIDENT_TEXT'];

/** How many hours a chart may go back. */
export const PERIODS = [24, 72, 168] as const;

/** So many zones are told apart in one chart. */
export const MOST_COMPARED = 6;

/** All that a shared address of City Live holds. What is absent is as the pages have it by themselves. */
export interface LiveAddress {
  readonly view: LiveView;
  /** The city that is looked at, where it is not the chosen one. */
  readonly city?: string | undefined;
  /** The zone whose panel is open, or that the stream is narrowed to. */
  readonly zone?: string | undefined;
  readonly topic?: LiveTopic | undefined;
  /** The feature that zones are compared by. */
  readonly feature?: string | undefined;
  readonly hours?: number | undefined;
  /** The zones that are compared. */
  readonly compared?: readonly string[] | undefined;
}

/** Writes the part of an address behind its `#`. */
export function formatLiveAddress({ view, city, zone, topic, feature, hours, compared }: LiveAddress): string {
  const parts: [string, string | undefined][] = [
    ['view', view],
    ['city', city && encodeURIComponent(city)],
    ['zone', zone && encodeURIComponent(zone)],
    ['topic', topic?.toLowerCase()],
    ['feature', feature && encodeURIComponent(feature)],
    ['hours', hours === undefined ? undefined : String(hours)],
    ['zones', compared?.map(encodeURIComponent).join(',')],
  ];
  return parts.flatMap(([name, value]) => (value ? [`${name}=${value}`] : [])).join('&');
}

/** Reads what `formatLiveAddress` wrote; what makes no sense is left out. */
export function parseLiveAddress(hash: string): LiveAddress {
  const parts = new Map(
    hash
      .replace(/^#/, '')
      .split('&')
      .map((part): [string, string] => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]),
  );
  const hours = PERIODS.find((each) => String(each) === parts.get('hours'));
  const topic = TOPICS.find((each) => each.toLowerCase() === parts.get('topic'));
  const [city, zone, feature] = ['city', 'zone', 'feature'].map((name) => decoded(parts.get(name)));
  const compared = parts.get('zones')?.split(',').flatMap((each) => decoded(each) || []).slice(0, MOST_COMPARED);
  return {
    view: LIVE_VIEWS.find((each) => each === parts.get('view')) ?? 'zones',
    ...(city && { city }),
    ...(zone && { zone }),
    ...(topic && { topic }),
    ...(feature && { feature }),
    ...(hours && { hours }),
    ...(compared && { compared }),
  };
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
