/**
 * citytwin's live map for any page: the typed way to the server, without React.
 *
 * `TwinFeed` holds what the city holds in a viewport; `query`, `mutate` and `subscribe` run the operations beside it.
 */
import type { Cell, Connection, Filter, Kind, TwinEntity, TwinUpdate } from './twin.ts';

export type * from './twin.ts';
export type { Degraded, Readiness } from './readiness.ts';
export { fetchReadiness } from './readiness.ts';

export interface TwinFeedOptions {
  /** The server's origin, such as `https://city.example`; the page's own where it is absent. */
  readonly url?: string;
  /** The operator's token, asked for at each connection. Following the city needs none. */
  readonly token?: () => string | null;
  readonly filter: Filter;
  /** The map's zoom (tiles of 512 px). Only where it is given the server may answer in cells. */
  readonly zoom?: number;
  readonly minIntervalMs?: number;
  onUpdate(update: TwinUpdate): void;
  onConnection(connection: Connection): void;
  /** What the server refuses, such as a filter that is none. The feed goes on where it can. */
  onError?(error: Error): void;
}

export declare class TwinFeed {
  constructor(options: TwinFeedOptions);
  readonly entities: ReadonlyMap<string, TwinEntity>;
  readonly cells: ReadonlyMap<string, Cell>;
  readonly connection: Connection;
  /** Follows another filter from now on; what is held and still chosen is not sent again. */
  move(filter: Filter, zoom?: number): void;
  close(): void;
}

/** How a request to the server is made. */
export interface RequestOptions {
  readonly url?: string;
  readonly token?: string | null;
  readonly signal?: AbortSignal;
}

/** An entity as `search` finds it: enough to name it and to go there. */
export interface Found {
  readonly id: string;
  readonly kind: Kind;
  /** `busId`, `sensorId` and so on. */
  readonly ownId: string;
  readonly name: string | null;
  readonly type: string | null;
  readonly districtId: string | null;
  /** Null where the entity has no position; of a road edge the middle of its geometry, of a district its centre. */
  readonly position: { readonly latitude: number; readonly longitude: number } | null;
}

/** Finds entities by id or name, the best first. */
export declare function search(
  text: string,
  options?: RequestOptions & { readonly kinds?: readonly Kind[]; readonly first?: number },
): Promise<Found[]>;

/** The entity of that global id (`bus/12`); null where the city has none. */
export declare function entity(id: string, options?: RequestOptions): Promise<Found | null>;

/** Takes an entity out of the city; false where there was none. Needs the operator's token, or the server's own machine. */
export declare function removeEntity(id: string, options?: RequestOptions): Promise<boolean>;

/** Whether this token (or none) may change the city here; the server changes nothing when it is asked. */
export declare function mayChange(options?: RequestOptions): Promise<boolean>;

export interface DistrictDashboard {
  readonly districtId: string;
  readonly name: string;
  readonly sensors: readonly {
    readonly type: string | null;
    readonly unit: string | null;
    readonly status: string | null;
    readonly count: number;
    readonly meanValue: number | null;
  }[];
  readonly occupancyRate: number | null;
  readonly edges: readonly { readonly congestionLevel: string | null; readonly count: number; readonly meanSpeed: number | null }[];
  readonly meanSpeed: number | null;
  readonly incidents: readonly { readonly severity: string | null; readonly status: string | null; readonly count: number }[];
  readonly units: readonly { readonly status: string | null; readonly count: number }[];
  readonly busesInService: number;
  /** RFC 3339; null where nothing has a time. */
  readonly oldestUpdate: string | null;
  readonly newestUpdate: string | null;
}

/** Follows the districts' numbers, at most one dashboard a second; comes back by itself. Returns how to end it. */
export declare function followDashboard(
  observer: { next(districts: readonly DistrictDashboard[]): void; error?(error: Error): void },
  options?: { readonly url?: string; readonly districts?: readonly string[] },
): () => void;
