/** What the city consists of, named as in GraphQL. */
export type Kind =
  | 'DISTRICT'
  | 'SENSOR'
  | 'BUILDING'
  | 'WEATHER_STATION'
  | 'NODE'
  | 'EDGE'
  | 'BUS'
  | 'STATION'
  | 'INCIDENT'
  | 'UNIT';

/**
 * One entity as the feed holds it.
 *
 * The object stays the same as long as the entity is held, and its `fields` are changed in place: at thousands of
 * updates a second copies would cost more than the drawing. Who needs an older value keeps it.
 */
export interface TwinEntity {
  /** Unique over all kinds: `sensor/<district>/<id>`, `bus/<id>`, with its parts percent-encoded. */
  readonly id: string;
  readonly kind: Kind;
  /** The `districtId` of a sensor, a building or a weather station, which have it in their id. */
  readonly district?: string;
  /** The keys and values of the entity in `state.full`. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The entities of one kind, of sensors one kind and type, in a cell. */
export interface CellGroup {
  readonly kind: Kind;
  readonly type: string | null;
  readonly count: number;
  /** The field whose mean it is, such as `value` or `occupancyRate`; null where the kind has none. */
  readonly measure: string | null;
  readonly mean: number | null;
}

/** A square of the map, in degrees, with what is in it; without groups it has become empty. */
export interface Cell {
  readonly id: string;
  readonly north: number;
  readonly south: number;
  readonly east: number;
  readonly west: number;
  readonly count: number;
  readonly groups: readonly CellGroup[];
}

/** Degrees; `west > east` crosses the 180th meridian. */
export interface Box {
  readonly north: number;
  readonly south: number;
  readonly east: number;
  readonly west: number;
}

/** Which entities. Each field narrows the choice; an absent one does not, and an empty list matches nothing. */
export interface Filter {
  readonly kinds?: readonly Kind[];
  readonly districts?: readonly string[];
  readonly types?: readonly string[];
  readonly statuses?: readonly string[];
  readonly box?: Box;
}

/** Why an entity left: out of the filter, gone from the city, or not part of what the server sent instead. */
export type Left = 'MOVED_OUT' | 'REMOVED' | 'REPLACED';

/** Single entities, or cells with counts where there are too many of them in view. */
export type ViewMode = 'ENTITIES' | 'CELLS';

/** What one batch changed. Applied to what was held before, it gives what `entities` and `cells` hold now. */
export interface TwinUpdate {
  readonly entered: readonly TwinEntity[];
  /** With the names of the fields that were set. */
  readonly updated: readonly { readonly entity: TwinEntity; readonly fields: readonly string[] }[];
  /** Also those that left because the mode changed. */
  readonly left: readonly { readonly id: string; readonly reason: Left }[];
  /** The cells that changed; one without groups is no longer held. */
  readonly cells: readonly Cell[];
  readonly mode: ViewMode;
  /** Whether the batch before had the other mode. */
  readonly modeChanged: boolean;
  /** Whether what is held is now exactly what the city holds and the filter chooses; else the rest follows at once. */
  readonly complete: boolean;
  /** Whether the batch belongs to what there was at the beginning, or at a new beginning. */
  readonly snapshot: boolean;
}

/**
 * How the feed is connected.
 *
 * - `connecting`: there is nothing yet, and the first connection is being made;
 * - `catching-up`: connected; what there is, or was missed, is coming;
 * - `live`: what is held is what the city holds;
 * - `stale`: what is held is from before; the server is silent or the connection lost, and it is being made again;
 * - `offline`: the server has not been reached several times in a row, or the device has no network. It is still tried.
 */
export interface Connection {
  readonly state: 'connecting' | 'catching-up' | 'live' | 'stale' | 'offline';
  /** When it came into this state, in Unix milliseconds. */
  readonly since: number;
  /** The newest `lastUpdated` that the feed has been given, in Unix milliseconds. */
  readonly newestData: number | null;
  /** How many attempts in a row have failed. */
  readonly attempt: number;
}
