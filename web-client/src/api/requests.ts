import { type RequestOptions, GraphQLProblem, run } from './graphql.ts';
import { LastingSubscription } from './lasting.ts';
import {
  CityDocument,
  type DashboardChangesSubscription,
  DashboardChangesDocument,
  RemoveEntityDocument,
  SearchDocument,
  type SearchQuery,
} from './operations.ts';
import { partsOf } from './store.ts';
import type { Box, Kind } from './twin.ts';

/** An entity as `search` finds it: enough to name it and to go there. */
export interface Found {
  readonly id: string;
  readonly kind: Kind;
  /** `busId`, `sensorId` and so on. */
  readonly ownId: string;
  readonly name: string | null;
  /** Of a road edge its class. */
  readonly type: string | null;
  readonly districtId: string | null;
  /** Of a road edge the middle of its geometry, of a district its centre; null where there is none. */
  readonly position: { readonly latitude: number; readonly longitude: number } | null;
}

/** The city's name and its districts; `box` is null where the city file has none. */
export interface City {
  readonly cityId: string;
  readonly name: string;
  readonly districts: readonly { readonly districtId: string; readonly name: string; readonly box: Box | null }[];
}

/** What the city is called, and where it lies. */
export async function fetchCity(options: RequestOptions = {}): Promise<City> {
  const { city, districts } = await run(CityDocument, {}, options);
  return {
    ...city,
    districts: districts.nodes.map(({ districtId, name, location }) => ({ districtId, name, box: location?.boundaries ?? null })),
  };
}

/** Finds entities by id or name, the best first; 20 where `first` is absent. */
export async function search(
  text: string,
  { kinds, first = 20, ...options }: RequestOptions & { readonly kinds?: readonly Kind[]; readonly first?: number } = {},
): Promise<Found[]> {
  const found = await run(SearchDocument, { text, kinds, first }, options);
  return found.search.map((node) => foundOf(node));
}

/** The entity of that global id (`bus/12`); null where the city has none. */
export async function entity(id: string, options: RequestOptions = {}): Promise<Found | null> {
  const { kind, ownId } = partsOf(id);
  // What has the text as its id comes first; over all districts there may be several of one own id.
  const found = await search(ownId, { ...options, kinds: [kind], first: 100 });
  return found.find((each) => each.id === id) ?? null;
}

function foundOf(node: SearchQuery['search'][number]): Found {
  const { id, kind } = node;
  const text = (...names: string[]): string | null => {
    const values = node as unknown as Record<string, string | null | undefined>;
    return names.map((name) => values[name]).find((value) => value !== undefined && value !== null) ?? null;
  };
  return {
    id,
    kind,
    ownId: partsOf(id).ownId,
    name: text('districtName', 'buildingName', 'roadName', 'stationName'),
    type: text('sensorType', 'buildingType', 'nodeType', 'class', 'incidentType', 'unitType'),
    districtId: text('districtId'),
    position: positionOf(node),
  };
}

function positionOf(node: SearchQuery['search'][number]): Found['position'] {
  if ('currentLocation' in node) return node.currentLocation;
  if ('location' in node) return node.location;
  if ('area' in node) return node.area;
  if (!('coordinates' in node)) return null;
  const [longitude, latitude] = node.coordinates[Math.floor(node.coordinates.length / 2)] ?? [];
  return latitude === undefined || longitude === undefined ? null : { latitude, longitude };
}

/** Takes an entity out of the city; false where there was none. Needs the operator's token, or the server's own machine. */
export async function removeEntity(id: string, options: RequestOptions = {}): Promise<boolean> {
  return (await run(RemoveEntityDocument, { id }, options)).removeEntity.removed;
}

/**
 * Whether this token, or none, may change the city from here. It asks for the removal of what is no id: the server
 * looks at who asks before it looks at what is asked, and changes nothing either way.
 */
export async function mayChange(options: RequestOptions = {}): Promise<boolean> {
  try {
    return await removeEntity('', options);
  } catch (error) {
    if (!(error instanceof GraphQLProblem)) throw error;
    if (error.code === 'BAD_USER_INPUT') return true;
    if (error.code === 'UNAUTHENTICATED' || error.code === 'FORBIDDEN') return false;
    throw error;
  }
}

type Dashboard = DashboardChangesSubscription['dashboardChanges'][number];

/** The numbers of one district. */
export type DistrictDashboard = Omit<Dashboard, 'district'> & Dashboard['district'];

/** Follows the districts' numbers, at most one dashboard a second, and comes back by itself. Returns how to end it. */
export function followDashboard(
  observer: { next(districts: readonly DistrictDashboard[]): void; error?(error: Error): void },
  { url, districts }: { readonly url?: string; readonly districts?: readonly string[] } = {},
): () => void {
  const subscription = new LastingSubscription<DashboardChangesSubscription>({
    url,
    operation: () => ({ query: DashboardChangesDocument, variables: { districts } }),
    next: ({ dashboardChanges }) => {
      observer.next(dashboardChanges.map(({ district, ...numbers }) => ({ ...district, ...numbers })));
      return 'complete';
    },
    onError: (error) => observer.error?.(error),
  });
  return () => subscription.close();
}
