/**
 * What City Live's pages ask of the server. A file of its own beside `index.ts`, so that a live map does not load it.
 */
import { GraphQLProblem, type RequestOptions, run, type TypedDocument } from './graphql.ts';
import { LastingSubscription } from './lasting.ts';
import {
  AcknowledgeAlertDocument,
  LiveAlertsDocument,
  type LiveAlertsSubscription,
  LiveCitiesDocument,
  type LiveCitiesQuery,
  LiveCityChangesDocument,
  type LiveCityChangesSubscription,
  LiveClearedAlertsDocument,
  LiveComparisonDocument,
  LiveFeedNewsDocument,
  LiveFeedPageDocument,
  type LiveFeedPageQuery,
  LiveInputsDocument,
  type LiveInputsSubscription,
  LiveModelsDocument,
  type LiveModelsQuery,
  LiveResultsDocument,
  type LiveResultsSubscription,
  type LiveTopic,
  LiveZoneDetailDocument,
  type LiveZoneDetailQuery,
  LiveZonesDocument,
  type LiveZonesQuery,
  ProcessCityDocument,
  SelectCityDocument,
} from './cityLiveOperations.ts';
import type { Connection } from './twin.ts';

export { GraphQLProblem };
export type { LiveAlertStatus, LiveFreshnessState, LiveGridAlertKind, LiveRiskLevel, LiveSeverity, LiveStatus, LiveTopic } from './cityLiveOperations.ts';

type InCity<Answer extends { readonly cityLive: unknown }> = NonNullable<Answer['cityLive']>;

/** A city of the catalogue, to be chosen. */
export type ListedCity = LiveCitiesQuery['cities'][number];
/** A city, and how far City Live is with it. */
export type CityState = LiveCityChangesSubscription['cityLiveChanged'];
/** A zone: what it is called and where it lies. `shape` is a GeoJSON geometry or null. */
export type Zone = InCity<LiveZonesQuery>['zones'][number];
/** The latest value of each kind, of a zone or of the whole city. */
export type Raw = LiveInputsSubscription['cityLiveChanged']['raw'];
/** What the last run made of a zone. */
export type Processed = NonNullable<LiveResultsSubscription['zoneProcessed']['zones'][number]['processed']>;
export type Recommendation = Processed['recommendations'][number];
export type Freshness = Processed['freshness'][number];
export type Alert = LiveAlertsSubscription['alertRaised']['alerts'][number];
/** What the panel of one zone shows beside that. */
export type ZoneDetail = NonNullable<InCity<LiveZoneDetailQuery>['zone']>;
export type Forecast = NonNullable<NonNullable<ZoneDetail['processed']>['forecast']>;
/** Times and values of the same length, ascending in time. */
export type LiveSeries = ZoneDetail['history']['features'][number];
/** What one model says for one zone. */
export type ModelOutput = InCity<LiveModelsQuery>['models'][number];
/** A message as it came. */
export type FeedItem = LiveFeedPageQuery['liveFeed']['nodes'][number];

/** Which messages. */
export interface FeedFilter {
  readonly topic?: LiveTopic | undefined;
  readonly zoneId?: string | undefined;
}

/** Part of the feed, newest first; `next` is where the older ones begin, absent where there are none. */
export interface FeedPage {
  readonly items: readonly FeedItem[];
  readonly next?: string | undefined;
}

/** The cities of the catalogue, in its order. */
export async function fetchCities(options: RequestOptions = {}): Promise<readonly ListedCity[]> {
  return (await run(LiveCitiesDocument, {}, options)).cities;
}

/** The zones of a city; none where the catalogue no longer has it. */
export async function fetchZones(cityId: string, options: RequestOptions = {}): Promise<readonly Zone[]> {
  return (await run(LiveZonesDocument, { cityId }, options)).cityLive?.zones ?? [];
}

/** Forecast, history and districts of a zone; null where there is no such zone. */
export async function fetchZoneDetail(cityId: string, zoneId: string, lastHours: number, options: RequestOptions = {}): Promise<ZoneDetail | null> {
  return (await run(LiveZoneDetailDocument, { cityId, zoneId, lastHours }, options)).cityLive?.zone ?? null;
}

/** One hourly feature of all zones; the name of each series is its `zoneId`. */
export async function fetchComparison(cityId: string, feature: string, lastHours: number, options: RequestOptions = {}): Promise<readonly LiveSeries[]> {
  return (await run(LiveComparisonDocument, { cityId, feature, lastHours }, options)).cityLive?.compare ?? [];
}

/** What all models say for all zones. */
export async function fetchModels(cityId: string, options: RequestOptions = {}): Promise<readonly ModelOutput[]> {
  return (await run(LiveModelsDocument, { cityId }, options)).cityLive?.models ?? [];
}

/** The newest alerts that are over. */
export async function fetchClearedAlerts(cityId: string, options: RequestOptions = {}): Promise<readonly Alert[]> {
  return (await run(LiveClearedAlertsDocument, { cityId }, options)).cityLive?.alerts ?? [];
}

/** Messages of a city, newest first: the newest, or those after `after`. */
export async function fetchFeed(cityId: string, { topic, zoneId }: FeedFilter, first: number, after?: string, options: RequestOptions = {}): Promise<FeedPage> {
  const { nodes, pageInfo } = (await run(LiveFeedPageDocument, { cityId, topic, zoneId, first, after }, options)).liveFeed;
  return { items: nodes, ...(pageInfo.hasNextPage && pageInfo.endCursor !== null && { next: pageInfo.endCursor }) };
}

/** Chooses the city that City Live looks at, for everybody. Needs the operator's token, or the server's own machine. */
export async function selectCity(cityId: string, options: RequestOptions = {}): Promise<void> {
  await run(SelectCityDocument, { cityId }, options);
}

/** Processes what is stored of a city now, and says how many zones that were. Needs an operator. */
export async function processCity(cityId: string, options: RequestOptions = {}): Promise<number> {
  return (await run(ProcessCityDocument, { cityId }, options)).processCity.zones ?? 0;
}

/** Tells that somebody has seen an alert. Needs an operator. */
export async function acknowledgeAlert(alertId: string, options: RequestOptions = {}): Promise<Alert> {
  return (await run(AcknowledgeAlertDocument, { alertId }, options)).acknowledgeAlert;
}

/** Who hears what a subscription yields. */
export interface Follower<Data> {
  next(data: Data): void;
  /** What the server refuses for good. */
  error?(error: Error): void;
  state?(state: Connection['state'], attempt: number): void;
}

/** Follows something until the returned function is called; comes back by itself, with what there is then. */
function follow<Data, Variables extends Record<string, unknown>>(document: TypedDocument<Data, Variables>, variables: Variables, follower: Follower<Data>): () => void {
  const subscription = new LastingSubscription<Data>({
    operation: () => ({ query: document, variables }),
    next: (data) => {
      follower.next(data);
      return 'complete';
    },
    onState: (state, attempt) => follower.state?.(state, attempt),
    onError: (error) => follower.error?.(error),
  });
  return () => subscription.close();
}

/** Follows how far City Live is with a city; without one with that which is chosen. It waits where none is. */
export function followCity(cityId: string | undefined, follower: Follower<CityState>): () => void {
  return follow(LiveCityChangesDocument, { cityId }, { ...follower, next: ({ cityLiveChanged }) => follower.next(cityLiveChanged) });
}

/** Follows the latest values of a city, and of one of its zones. */
export function followInputs(cityId: string, zoneId: string | undefined, follower: Follower<{ readonly city: Raw; readonly zone: Raw | undefined }>): () => void {
  return follow(
    LiveInputsDocument,
    { cityId, zoneId: zoneId ?? '' },
    { ...follower, next: ({ cityLiveChanged: { raw, zone } }) => follower.next({ city: raw, zone: zone?.raw }) },
  );
}

/** Follows what is made of the zones; after a `snapshot` what was held before is void. */
export function followResults(cityId: string, follower: Follower<LiveResultsSubscription['zoneProcessed']>): () => void {
  return follow(LiveResultsDocument, { cityId }, { ...follower, next: ({ zoneProcessed }) => follower.next(zoneProcessed) });
}

/** Follows the alerts; after a `snapshot` what was held before is void. */
export function followAlerts(cityId: string, follower: Follower<LiveAlertsSubscription['alertRaised']>): () => void {
  return follow(LiveAlertsDocument, { cityId }, { ...follower, next: ({ alertRaised }) => follower.next(alertRaised) });
}

/** Follows new messages; `begin` is called at the beginning and after each loss: what came before it is to be read by `fetchFeed`. */
export function followFeed(cityId: string, { topic, zoneId }: FeedFilter, follower: Follower<readonly FeedItem[]> & { begin(): void }): () => void {
  return follow(
    LiveFeedNewsDocument,
    { cityId, topic, zoneId },
    {
      ...follower,
      next: ({ liveFeed: { snapshot, items } }) => {
        if (snapshot) follower.begin();
        follower.next(items);
      },
    },
  );
}
