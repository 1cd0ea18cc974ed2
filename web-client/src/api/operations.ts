// Generated from operations.graphql and the repository's schema.graphql: `npm run generate`.
/* oxlint-disable */
import type { TypedDocument } from './graphql.ts';

/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
/** A box of WGS84 degrees, its edges included. `west` greater than `east` crosses the 180th meridian. */
export type BoxInput = {
  /** The northern edge: degrees north, in [-90, 90]. */
  readonly north: number;
  /** The southern edge: degrees north, in [-90, 90], at most `north`. */
  readonly south: number;
  /** The eastern edge: degrees east, in [-180, 180]. */
  readonly east: number;
  /** The western edge: degrees east, in [-180, 180]. */
  readonly west: number;
};

/** What happened to an entity, as a subscriber sees it. */
export type ChangeKind =
  /** It is new to the subscriber: it was there at the beginning, was created, or came into what the filter chooses. */
  | 'ENTERED'
  /** The subscriber has it, and it changed. */
  | 'UPDATED'
  /** It is no longer chosen, or no longer there. */
  | 'LEFT';

/** `congestionLevel` of road edges. */
export type CongestionLevel =
  /** The traffic flows freely. */
  | 'LOW'
  /** The traffic is slowed a little. */
  | 'MODERATE'
  /** The traffic is slowed much. */
  | 'HIGH'
  /** The traffic hardly moves. */
  | 'SEVERE';

/** Which entities. Each field narrows the choice, an absent one does not, and an empty list matches nothing. */
export type EntityFilter = {
  /** Only these kinds. In a list of one kind it must name that kind, be empty, or be absent. */
  readonly kinds?: ReadonlyArray<EntityKind> | null | undefined;
  /** Only what belongs to these districts, by their `districtId`. Buses, stations, incidents and units belong to none. */
  readonly districts?: ReadonlyArray<string> | null | undefined;
  /**
   * Only these values of `type`, as `state.full` has them; an edge's is its `class`. Districts, weather stations,
   * buses and stations have none.
   */
  readonly types?: ReadonlyArray<string> | null | undefined;
  /**
   * Only these values of `status`, as `state.full` has them (`in_service`, not `IN_SERVICE`); an edge's is its
   * `congestionLevel`. Districts, buildings, nodes and stations have none.
   */
  readonly statuses?: ReadonlyArray<string> | null | undefined;
  /**
   * Only what lies in this box, its edges included. A road edge is in where its geometry crosses; what has no
   * position is in no box.
   */
  readonly box?: BoxInput | null | undefined;
  /** Only what is at most so far from a point. A road edge counts by the nearest point of its geometry. */
  readonly near?: NearInput | null | undefined;
  /** Only what has a `lastUpdated` at or after this. */
  readonly updatedSince?: string | null | undefined;
};

/** The kinds of entities. */
export type EntityKind =
  /** A part of the city. */
  | 'DISTRICT'
  /** Something that measures one value. */
  | 'SENSOR'
  /** A building, with its occupancy. */
  | 'BUILDING'
  /** A weather station, with its readings. */
  | 'WEATHER_STATION'
  /** A node of the road graph. */
  | 'NODE'
  /** An edge of the road graph: a road in one direction, with its traffic. */
  | 'EDGE'
  /** A vehicle of public transport. */
  | 'BUS'
  /** A stop of public transport. */
  | 'STATION'
  /** Something that emergency services handle. */
  | 'INCIDENT'
  /** A vehicle or crew of the emergency services. */
  | 'UNIT';

/** `status` of incidents. */
export type IncidentStatus =
  /** Somebody reported it; nobody is on the way. */
  | 'REPORTED'
  /** Units are on the way. */
  | 'DISPATCHED'
  /** Units are working on it. */
  | 'IN_PROGRESS'
  /** It is over. It stays for the time of `INCIDENT_RETENTION`. */
  | 'RESOLVED';

/** Why an entity left. */
export type LeaveReason =
  /** It is still there, but no longer what the filter chooses: it moved out of the box, or its status changed. */
  | 'MOVED_OUT'
  /** It is gone. */
  | 'REMOVED';

/** All points within a distance of one. */
export type NearInput = {
  /** Degrees north, in [-90, 90]. */
  readonly latitude: number;
  /** Degrees east, in [-180, 180]. */
  readonly longitude: number;
  /** The distance in metres, above 0. */
  readonly radius: number;
};

/** `status` of sensors and weather stations. */
export type SensorStatus =
  /** It measures. */
  | 'ACTIVE'
  /** It does not measure. */
  | 'INACTIVE'
  /** It is being maintained. */
  | 'MAINTENANCE';

/** `severity` of incidents. */
export type Severity =
  /** Lives are at risk. */
  | 'CRITICAL'
  /** Urgent. */
  | 'HIGH'
  /** Neither urgent nor minor. */
  | 'MEDIUM'
  /** Minor. */
  | 'LOW';

/** Why a subscription gives all there is. */
export type SnapshotReason =
  /** No cursor was given. */
  | 'START'
  /**
   * What the client held at its cursor is no longer known: the subscription ended too long ago (5 minutes), others
   * needed the room (64 MiB for all), more got lost on the way than is held, or the cursor stands within a snapshot.
   */
  | 'NOT_HELD'
  /** The cursor is another instance's, or that of a process that is gone. */
  | 'NOT_HERE'
  /** Another writer began a new chain since the cursor. */
  | 'NEW_EPOCH';

/** `status` of emergency units. */
export type UnitStatus =
  /** It can be sent. */
  | 'AVAILABLE'
  /** It is on its way to an incident. */
  | 'DISPATCHED'
  /** It is at its incident. */
  | 'ON_SCENE';

/** How what the filter chooses is shown. */
export type ViewMode =
  /** Each entity by itself, in `changes`. */
  | 'ENTITIES'
  /** Points and movers by the squares of a grid, in `cells`; roads and districts by themselves, in `changes`. */
  | 'CELLS';

export type TwinChangesSubscriptionVariables = Exact<{
  filter: EntityFilter;
  minIntervalMs: number;
  resumeFrom?: string | null | undefined;
  zoom?: number | null | undefined;
}>;


export type TwinChangesSubscription = { readonly twinChanges: { readonly cursor: string, readonly subscription: string, readonly viewport: number, readonly mode: ViewMode, readonly snapshot: boolean, readonly complete: boolean, readonly reason: SnapshotReason | null, readonly changes: ReadonlyArray<{ readonly kind: ChangeKind, readonly id: string, readonly reason: LeaveReason | null, readonly patch: unknown }>, readonly cells: ReadonlyArray<{ readonly id: string, readonly north: number, readonly south: number, readonly east: number, readonly west: number, readonly count: number, readonly groups: ReadonlyArray<{ readonly kind: EntityKind, readonly type: string | null, readonly count: number, readonly measure: string | null, readonly mean: number | null }> }> } };

export type MoveViewportMutationVariables = Exact<{
  subscription: string;
  filter: EntityFilter;
  zoom?: number | null | undefined;
}>;


export type MoveViewportMutation = { readonly moveViewport: number };

export type RemoveEntityMutationVariables = Exact<{
  id: string;
}>;


export type RemoveEntityMutation = { readonly removeEntity: { readonly removed: boolean } };

export type CityQueryVariables = Exact<{ [key: string]: never; }>;


export type CityQuery = { readonly city: { readonly cityId: string, readonly name: string }, readonly districts: { readonly nodes: ReadonlyArray<{ readonly districtId: string, readonly name: string, readonly location: { readonly boundaries: { readonly north: number, readonly south: number, readonly east: number, readonly west: number } | null } | null }> } };

export type SearchQueryVariables = Exact<{
  text: string;
  kinds?: ReadonlyArray<EntityKind> | EntityKind | null | undefined;
  first: number;
}>;


export type SearchQuery = { readonly search: ReadonlyArray<
    | { readonly districtId: string, readonly buildingId: string, readonly id: string, readonly kind: EntityKind, readonly buildingName: string | null, readonly buildingType: string | null, readonly location: { readonly latitude: number, readonly longitude: number } | null }
    | { readonly busId: string, readonly id: string, readonly kind: EntityKind, readonly currentLocation: { readonly latitude: number, readonly longitude: number } | null }
    | { readonly districtId: string, readonly id: string, readonly kind: EntityKind, readonly districtName: string, readonly area: { readonly latitude: number, readonly longitude: number } | null }
    | { readonly incidentId: string, readonly id: string, readonly kind: EntityKind, readonly incidentType: string | null, readonly location: { readonly latitude: number, readonly longitude: number } | null }
    | { readonly districtId: string, readonly edgeId: string, readonly class: string | null, readonly coordinates: ReadonlyArray<ReadonlyArray<number>>, readonly id: string, readonly kind: EntityKind, readonly roadName: string | null }
    | { readonly districtId: string, readonly nodeId: string, readonly id: string, readonly kind: EntityKind, readonly nodeType: string | null, readonly location: { readonly latitude: number, readonly longitude: number } | null }
    | { readonly districtId: string, readonly sensorId: string, readonly id: string, readonly kind: EntityKind, readonly sensorType: string | null, readonly location: { readonly latitude: number, readonly longitude: number } | null }
    | { readonly stationId: string, readonly id: string, readonly kind: EntityKind, readonly stationName: string | null, readonly location: { readonly latitude: number, readonly longitude: number } | null }
    | { readonly unitId: string, readonly id: string, readonly kind: EntityKind, readonly unitType: string | null, readonly currentLocation: { readonly latitude: number, readonly longitude: number } | null }
    | { readonly districtId: string, readonly stationId: string, readonly id: string, readonly kind: EntityKind, readonly location: { readonly latitude: number, readonly longitude: number } | null }
  > };

type Found_Building_Fragment = { readonly districtId: string, readonly buildingId: string, readonly id: string, readonly kind: EntityKind, readonly buildingName: string | null, readonly buildingType: string | null, readonly location: { readonly latitude: number, readonly longitude: number } | null };

type Found_Bus_Fragment = { readonly busId: string, readonly id: string, readonly kind: EntityKind, readonly currentLocation: { readonly latitude: number, readonly longitude: number } | null };

type Found_District_Fragment = { readonly districtId: string, readonly id: string, readonly kind: EntityKind, readonly districtName: string, readonly area: { readonly latitude: number, readonly longitude: number } | null };

type Found_Incident_Fragment = { readonly incidentId: string, readonly id: string, readonly kind: EntityKind, readonly incidentType: string | null, readonly location: { readonly latitude: number, readonly longitude: number } | null };

type Found_RoadEdge_Fragment = { readonly districtId: string, readonly edgeId: string, readonly class: string | null, readonly coordinates: ReadonlyArray<ReadonlyArray<number>>, readonly id: string, readonly kind: EntityKind, readonly roadName: string | null };

type Found_RoadNode_Fragment = { readonly districtId: string, readonly nodeId: string, readonly id: string, readonly kind: EntityKind, readonly nodeType: string | null, readonly location: { readonly latitude: number, readonly longitude: number } | null };

type Found_Sensor_Fragment = { readonly districtId: string, readonly sensorId: string, readonly id: string, readonly kind: EntityKind, readonly sensorType: string | null, readonly location: { readonly latitude: number, readonly longitude: number } | null };

type Found_Station_Fragment = { readonly stationId: string, readonly id: string, readonly kind: EntityKind, readonly stationName: string | null, readonly location: { readonly latitude: number, readonly longitude: number } | null };

type Found_Unit_Fragment = { readonly unitId: string, readonly id: string, readonly kind: EntityKind, readonly unitType: string | null, readonly currentLocation: { readonly latitude: number, readonly longitude: number } | null };

type Found_WeatherStation_Fragment = { readonly districtId: string, readonly stationId: string, readonly id: string, readonly kind: EntityKind, readonly location: { readonly latitude: number, readonly longitude: number } | null };

export type FoundFragment =
  | Found_Building_Fragment
  | Found_Bus_Fragment
  | Found_District_Fragment
  | Found_Incident_Fragment
  | Found_RoadEdge_Fragment
  | Found_RoadNode_Fragment
  | Found_Sensor_Fragment
  | Found_Station_Fragment
  | Found_Unit_Fragment
  | Found_WeatherStation_Fragment
;

export type DashboardChangesSubscriptionVariables = Exact<{
  districts?: ReadonlyArray<string> | string | null | undefined;
}>;


export type DashboardChangesSubscription = { readonly dashboardChanges: ReadonlyArray<{ readonly occupancyRate: number | null, readonly meanSpeed: number | null, readonly busesInService: number, readonly oldestUpdate: string | null, readonly newestUpdate: string | null, readonly district: { readonly districtId: string, readonly name: string }, readonly sensors: ReadonlyArray<{ readonly type: string | null, readonly unit: string | null, readonly status: SensorStatus | null, readonly count: number, readonly meanValue: number | null }>, readonly edges: ReadonlyArray<{ readonly congestionLevel: CongestionLevel | null, readonly count: number, readonly meanSpeed: number | null }>, readonly incidents: ReadonlyArray<{ readonly severity: Severity | null, readonly status: IncidentStatus | null, readonly count: number }>, readonly units: ReadonlyArray<{ readonly status: UnitStatus | null, readonly count: number }> }> };

export const TwinChangesDocument = `subscription TwinChanges($filter: EntityFilter!, $minIntervalMs: Int!, $resumeFrom: String, $zoom: Float) {
  twinChanges(
    filter: $filter
    minIntervalMs: $minIntervalMs
    resumeFrom: $resumeFrom
    compact: true
    zoom: $zoom
  ) {
    cursor
    subscription
    viewport
    mode
    snapshot
    complete
    reason
    changes {
      kind
      id
      reason
      patch
    }
    cells {
      id
      north
      south
      east
      west
      count
      groups {
        kind
        type
        count
        measure
        mean
      }
    }
  }
}` as TypedDocument<TwinChangesSubscription, TwinChangesSubscriptionVariables>;

export const MoveViewportDocument = `mutation MoveViewport($subscription: ID!, $filter: EntityFilter!, $zoom: Float) {
  moveViewport(subscription: $subscription, filter: $filter, zoom: $zoom)
}` as TypedDocument<MoveViewportMutation, MoveViewportMutationVariables>;

export const RemoveEntityDocument = `mutation RemoveEntity($id: ID!) {
  removeEntity(id: $id) {
    removed
  }
}` as TypedDocument<RemoveEntityMutation, RemoveEntityMutationVariables>;

export const CityDocument = `query City {
  city {
    cityId
    name
  }
  districts(first: 1000) {
    nodes {
      districtId
      name
      location {
        boundaries {
          north
          south
          east
          west
        }
      }
    }
  }
}` as TypedDocument<CityQuery, CityQueryVariables>;

export const SearchDocument = `query Search($text: String!, $kinds: [EntityKind!], $first: Int!) {
  search(text: $text, kinds: $kinds, first: $first) {
    ...Found
  }
}

fragment Found on Entity {
  id
  kind
  ... on District {
    districtId
    districtName: name
    area: location {
      latitude: centerLatitude
      longitude: centerLongitude
    }
  }
  ... on Sensor {
    districtId
    sensorId
    sensorType: type
    location {
      latitude
      longitude
    }
  }
  ... on Building {
    districtId
    buildingId
    buildingName: name
    buildingType: type
    location {
      latitude
      longitude
    }
  }
  ... on WeatherStation {
    districtId
    stationId
    location {
      latitude
      longitude
    }
  }
  ... on RoadNode {
    districtId
    nodeId
    nodeType: type
    location {
      latitude
      longitude
    }
  }
  ... on RoadEdge {
    districtId
    edgeId
    roadName: name
    class
    coordinates
  }
  ... on Bus {
    busId
    currentLocation {
      latitude
      longitude
    }
  }
  ... on Station {
    stationId
    stationName: name
    location {
      latitude
      longitude
    }
  }
  ... on Incident {
    incidentId
    incidentType: type
    location {
      latitude
      longitude
    }
  }
  ... on Unit {
    unitId
    unitType: type
    currentLocation {
      latitude
      longitude
    }
  }
}` as TypedDocument<SearchQuery, SearchQueryVariables>;

export const DashboardChangesDocument = `subscription DashboardChanges($districts: [String!]) {
  dashboardChanges(districts: $districts) {
    district {
      districtId
      name
    }
    sensors {
      type
      unit
      status
      count
      meanValue
    }
    occupancyRate
    edges {
      congestionLevel
      count
      meanSpeed
    }
    meanSpeed
    incidents {
      severity
      status
      count
    }
    units {
      status
      count
    }
    busesInService
    oldestUpdate
    newestUpdate
  }
}` as TypedDocument<DashboardChangesSubscription, DashboardChangesSubscriptionVariables>;
