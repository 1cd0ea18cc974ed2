// Generated from cityLive.graphql and the repository's schema.graphql: `npm run generate`.
/* oxlint-disable */
import type { TypedDocument } from './graphql.ts';

/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
/** Where an alert is in its life. */
export type LiveAlertStatus =
  /** What it warns of holds. */
  | 'OPEN'
  /** It holds, and somebody has seen the alert. */
  | 'ACKNOWLEDGED'
  /** It holds no longer. The alert stays for the time of retention. */
  | 'CLEARED';

/** How fresh an input is. */
export type LiveFreshnessState =
  /** Young enough for its kind. */
  | 'FRESH'
  /** Older than its kind allows; it was still used. */
  | 'STALE'
  /** Never seen. */
  | 'MISSING';

/** Why there is a grid alert. */
export type LiveGridAlertKind =
  /** Demand above EIA's own forecast by more than the margin. */
  | 'ABOVE_FORECAST'
  /** Demand above the highest hour of the same local day so far. */
  | 'ABOVE_PEAK';

/** How high a risk is. */
export type LiveRiskLevel =
  /** Nothing out of the ordinary. */
  | 'LOW'
  /** Worth a look. */
  | 'MODERATE'
  /** Somebody should act. */
  | 'HIGH'
  /** Somebody should act at once. */
  | 'SEVERE'
  /** Nothing is known that it could be judged by; the score is 0. */
  | 'UNKNOWN';

/** How bad it is. */
export type LiveSeverity =
  /** To know. */
  | 'INFO'
  /** To watch. */
  | 'WARNING'
  /** To act on. */
  | 'CRITICAL';

/** How far City Live is with a city. */
export type LiveStatus =
  /** Nothing of it was processed yet: the data is on its way. */
  | 'LOADING'
  /** There is data, and it is young enough. */
  | 'READY'
  /** There is data, but the last run is too long ago. */
  | 'STALE';

/** The topics of City Live, in capitals. */
export type LiveTopic =
  /** `aqi_stream`: weather and air quality. */
  | 'AQI_STREAM'
  /** `power_demand`: a region's demand by the hour. */
  | 'POWER_DEMAND'
  /** `traffic_events`: the traffic nearest to each zone's centre. */
  | 'TRAFFIC_EVENTS'
  /** `grid_alerts`: power demand that is out of line. */
  | 'GRID_ALERTS'
  /** `incident_text`: 311 calls. */
  | 'INCIDENT_TEXT';

export type LiveCitiesQueryVariables = Exact<{ [key: string]: never; }>;


export type LiveCitiesQuery = { readonly cities: ReadonlyArray<{ readonly cityId: string, readonly name: string, readonly chosen: boolean, readonly status: LiveStatus, readonly zoneCount: number, readonly processedAt: string | null }> };

export type LiveZonesQueryVariables = Exact<{
  cityId: string;
}>;


export type LiveZonesQuery = { readonly cityLive: { readonly zones: ReadonlyArray<{ readonly zoneId: string, readonly name: string, readonly shape: unknown, readonly centre: { readonly latitude: number, readonly longitude: number } }> } | null };

export type LiveCityChangesSubscriptionVariables = Exact<{
  cityId?: string | null | undefined;
}>;


export type LiveCityChangesSubscription = { readonly cityLiveChanged: { readonly cityId: string, readonly name: string, readonly timeZone: string, readonly powerRegion: string | null, readonly has311: boolean, readonly chosen: boolean, readonly status: LiveStatus, readonly selectedAt: string | null, readonly processedAt: string | null, readonly zoneCount: number } };

export type LiveInputsSubscriptionVariables = Exact<{
  cityId: string;
  zoneId: string;
}>;


export type LiveInputsSubscription = { readonly cityLiveChanged: { readonly raw: { readonly weather: { readonly ts: string, readonly source: string, readonly simulated: boolean, readonly temperature: number | null, readonly apparentTemperature: number | null, readonly humidity: number | null, readonly windSpeed: number | null, readonly windDirection: number | null, readonly precipitation: number | null, readonly pressure: number | null } | null, readonly aqi: { readonly ts: string, readonly source: string, readonly simulated: boolean, readonly usAqi: number | null, readonly europeanAqi: number | null, readonly pm25: number | null, readonly pm10: number | null, readonly no2: number | null, readonly o3: number | null, readonly so2: number | null, readonly co: number | null } | null, readonly traffic: { readonly ts: string, readonly source: string, readonly simulated: boolean, readonly currentSpeed: number, readonly freeFlowSpeed: number, readonly confidence: number | null, readonly roadClosure: boolean } | null, readonly power: { readonly ts: string, readonly source: string, readonly simulated: boolean, readonly wholeCity: boolean, readonly region: string, readonly demand: number | null, readonly demandForecast: number | null } | null, readonly gridAlert: { readonly ts: string, readonly source: string, readonly simulated: boolean, readonly wholeCity: boolean, readonly kind: LiveGridAlertKind, readonly region: string, readonly demand: number, readonly reference: number, readonly excess: number } | null, readonly calls311: { readonly ts: string, readonly source: string, readonly simulated: boolean, readonly count: number, readonly byType: ReadonlyArray<{ readonly type: string, readonly count: number }> } | null }, readonly zone: { readonly raw: { readonly weather: { readonly ts: string, readonly source: string, readonly simulated: boolean, readonly temperature: number | null, readonly apparentTemperature: number | null, readonly humidity: number | null, readonly windSpeed: number | null, readonly windDirection: number | null, readonly precipitation: number | null, readonly pressure: number | null } | null, readonly aqi: { readonly ts: string, readonly source: string, readonly simulated: boolean, readonly usAqi: number | null, readonly europeanAqi: number | null, readonly pm25: number | null, readonly pm10: number | null, readonly no2: number | null, readonly o3: number | null, readonly so2: number | null, readonly co: number | null } | null, readonly traffic: { readonly ts: string, readonly source: string, readonly simulated: boolean, readonly currentSpeed: number, readonly freeFlowSpeed: number, readonly confidence: number | null, readonly roadClosure: boolean } | null, readonly power: { readonly ts: string, readonly source: string, readonly simulated: boolean, readonly wholeCity: boolean, readonly region: string, readonly demand: number | null, readonly demandForecast: number | null } | null, readonly gridAlert: { readonly ts: string, readonly source: string, readonly simulated: boolean, readonly wholeCity: boolean, readonly kind: LiveGridAlertKind, readonly region: string, readonly demand: number, readonly reference: number, readonly excess: number } | null, readonly calls311: { readonly ts: string, readonly source: string, readonly simulated: boolean, readonly count: number, readonly byType: ReadonlyArray<{ readonly type: string, readonly count: number }> } | null } } | null } };

export type RawFragment = { readonly weather: { readonly ts: string, readonly source: string, readonly simulated: boolean, readonly temperature: number | null, readonly apparentTemperature: number | null, readonly humidity: number | null, readonly windSpeed: number | null, readonly windDirection: number | null, readonly precipitation: number | null, readonly pressure: number | null } | null, readonly aqi: { readonly ts: string, readonly source: string, readonly simulated: boolean, readonly usAqi: number | null, readonly europeanAqi: number | null, readonly pm25: number | null, readonly pm10: number | null, readonly no2: number | null, readonly o3: number | null, readonly so2: number | null, readonly co: number | null } | null, readonly traffic: { readonly ts: string, readonly source: string, readonly simulated: boolean, readonly currentSpeed: number, readonly freeFlowSpeed: number, readonly confidence: number | null, readonly roadClosure: boolean } | null, readonly power: { readonly ts: string, readonly source: string, readonly simulated: boolean, readonly wholeCity: boolean, readonly region: string, readonly demand: number | null, readonly demandForecast: number | null } | null, readonly gridAlert: { readonly ts: string, readonly source: string, readonly simulated: boolean, readonly wholeCity: boolean, readonly kind: LiveGridAlertKind, readonly region: string, readonly demand: number, readonly reference: number, readonly excess: number } | null, readonly calls311: { readonly ts: string, readonly source: string, readonly simulated: boolean, readonly count: number, readonly byType: ReadonlyArray<{ readonly type: string, readonly count: number }> } | null };

export type LiveResultsSubscriptionVariables = Exact<{
  cityId: string;
}>;


export type LiveResultsSubscription = { readonly zoneProcessed: { readonly snapshot: boolean, readonly zones: ReadonlyArray<{ readonly zoneId: string, readonly processed: { readonly runId: string, readonly processedAt: string, readonly simulated: boolean, readonly features: ReadonlyArray<{ readonly name: string, readonly value: number }>, readonly anomalies: ReadonlyArray<{ readonly feature: string, readonly value: number, readonly mean: number, readonly z: number, readonly samples: number, readonly anomalous: boolean }>, readonly risk: { readonly score: number, readonly level: LiveRiskLevel, readonly parts: ReadonlyArray<{ readonly name: string, readonly score: number, readonly weight: number, readonly reason: string }> }, readonly recommendations: ReadonlyArray<{ readonly rule: string, readonly priority: number, readonly text: string, readonly reason: string }>, readonly freshness: ReadonlyArray<{ readonly input: string, readonly state: LiveFreshnessState, readonly ts: string | null, readonly limitSeconds: number }> } | null }> } };

export type AlertFragment = { readonly alertId: string, readonly zoneId: string | null, readonly rule: string, readonly severity: LiveSeverity, readonly status: LiveAlertStatus, readonly reason: string, readonly raisedAt: string, readonly updatedAt: string, readonly acknowledgedAt: string | null, readonly clearedAt: string | null };

export type LiveAlertsSubscriptionVariables = Exact<{
  cityId: string;
}>;


export type LiveAlertsSubscription = { readonly alertRaised: { readonly snapshot: boolean, readonly alerts: ReadonlyArray<{ readonly alertId: string, readonly zoneId: string | null, readonly rule: string, readonly severity: LiveSeverity, readonly status: LiveAlertStatus, readonly reason: string, readonly raisedAt: string, readonly updatedAt: string, readonly acknowledgedAt: string | null, readonly clearedAt: string | null }> } };

export type LiveClearedAlertsQueryVariables = Exact<{
  cityId: string;
}>;


export type LiveClearedAlertsQuery = { readonly cityLive: { readonly alerts: ReadonlyArray<{ readonly alertId: string, readonly zoneId: string | null, readonly rule: string, readonly severity: LiveSeverity, readonly status: LiveAlertStatus, readonly reason: string, readonly raisedAt: string, readonly updatedAt: string, readonly acknowledgedAt: string | null, readonly clearedAt: string | null }> } | null };

export type LiveZoneDetailQueryVariables = Exact<{
  cityId: string;
  zoneId: string;
  lastHours: number;
}>;


export type LiveZoneDetailQuery = { readonly cityLive: { readonly zone: { readonly districts: ReadonlyArray<{ readonly id: string, readonly name: string }>, readonly processed: { readonly forecast: { readonly model: string, readonly reason: string, readonly hours: ReadonlyArray<{ readonly ts: string, readonly value: number, readonly low: number, readonly high: number }> } | null } | null, readonly history: { readonly features: ReadonlyArray<{ readonly name: string, readonly times: ReadonlyArray<string>, readonly values: ReadonlyArray<number> }>, readonly risk: ReadonlyArray<{ readonly name: string, readonly times: ReadonlyArray<string>, readonly values: ReadonlyArray<number> }> } } | null } | null };

export type LiveComparisonQueryVariables = Exact<{
  cityId: string;
  feature: string;
  lastHours: number;
}>;


export type LiveComparisonQuery = { readonly cityLive: { readonly compare: ReadonlyArray<{ readonly name: string, readonly times: ReadonlyArray<string>, readonly values: ReadonlyArray<number> }> } | null };

export type LiveModelsQueryVariables = Exact<{
  cityId: string;
}>;


export type LiveModelsQuery = { readonly cityLive: { readonly models: ReadonlyArray<{ readonly zoneId: string, readonly model: string, readonly version: string, readonly ts: string, readonly unit: string, readonly ran: string, readonly error: number | null, readonly errorHours: number, readonly chosen: boolean, readonly problem: string | null, readonly hours: ReadonlyArray<{ readonly ts: string, readonly value: number }> }> } | null };

export type FeedItemFragment = { readonly id: string, readonly topic: LiveTopic, readonly type: string, readonly ts: string, readonly ingestedAt: string, readonly source: string, readonly simulated: boolean, readonly payload: unknown, readonly zoneId: string | null };

export type LiveFeedPageQueryVariables = Exact<{
  cityId: string;
  topic?: LiveTopic | null | undefined;
  zoneId?: string | null | undefined;
  first: number;
  after?: string | null | undefined;
}>;


export type LiveFeedPageQuery = { readonly liveFeed: { readonly nodes: ReadonlyArray<{ readonly id: string, readonly topic: LiveTopic, readonly type: string, readonly ts: string, readonly ingestedAt: string, readonly source: string, readonly simulated: boolean, readonly payload: unknown, readonly zoneId: string | null }>, readonly pageInfo: { readonly hasNextPage: boolean, readonly endCursor: string | null } } };

export type LiveFeedNewsSubscriptionVariables = Exact<{
  cityId: string;
  topic?: LiveTopic | null | undefined;
  zoneId?: string | null | undefined;
}>;


export type LiveFeedNewsSubscription = { readonly liveFeed: { readonly snapshot: boolean, readonly items: ReadonlyArray<{ readonly id: string, readonly topic: LiveTopic, readonly type: string, readonly ts: string, readonly ingestedAt: string, readonly source: string, readonly simulated: boolean, readonly payload: unknown, readonly zoneId: string | null }> } };

export type SelectCityMutationVariables = Exact<{
  cityId: string;
}>;


export type SelectCityMutation = { readonly selectCity: { readonly cityId: string } };

export type ProcessCityMutationVariables = Exact<{
  cityId: string;
}>;


export type ProcessCityMutation = { readonly processCity: { readonly zones: number | null } };

export type AcknowledgeAlertMutationVariables = Exact<{
  alertId: string;
}>;


export type AcknowledgeAlertMutation = { readonly acknowledgeAlert: { readonly alertId: string, readonly zoneId: string | null, readonly rule: string, readonly severity: LiveSeverity, readonly status: LiveAlertStatus, readonly reason: string, readonly raisedAt: string, readonly updatedAt: string, readonly acknowledgedAt: string | null, readonly clearedAt: string | null } };

export const LiveCitiesDocument = `query LiveCities {
  cities {
    cityId
    name
    chosen
    status
    zoneCount
    processedAt
  }
}` as TypedDocument<LiveCitiesQuery, LiveCitiesQueryVariables>;

export const LiveZonesDocument = `query LiveZones($cityId: String!) {
  cityLive(cityId: $cityId) {
    zones {
      zoneId
      name
      shape
      centre {
        latitude
        longitude
      }
    }
  }
}` as TypedDocument<LiveZonesQuery, LiveZonesQueryVariables>;

export const LiveCityChangesDocument = `subscription LiveCityChanges($cityId: String) {
  cityLiveChanged(cityId: $cityId) {
    cityId
    name
    timeZone
    powerRegion
    has311
    chosen
    status
    selectedAt
    processedAt
    zoneCount
  }
}` as TypedDocument<LiveCityChangesSubscription, LiveCityChangesSubscriptionVariables>;

export const LiveInputsDocument = `subscription LiveInputs($cityId: String!, $zoneId: String!) {
  cityLiveChanged(cityId: $cityId, inputs: true, minIntervalMs: 2000) {
    raw {
      ...Raw
    }
    zone(zoneId: $zoneId) {
      raw {
        ...Raw
      }
    }
  }
}

fragment Raw on LiveRaw {
  weather {
    ts
    source
    simulated
    temperature
    apparentTemperature
    humidity
    windSpeed
    windDirection
    precipitation
    pressure
  }
  aqi {
    ts
    source
    simulated
    usAqi
    europeanAqi
    pm25
    pm10
    no2
    o3
    so2
    co
  }
  traffic {
    ts
    source
    simulated
    currentSpeed
    freeFlowSpeed
    confidence
    roadClosure
  }
  power {
    ts
    source
    simulated
    wholeCity
    region
    demand
    demandForecast
  }
  gridAlert {
    ts
    source
    simulated
    wholeCity
    kind
    region
    demand
    reference
    excess
  }
  calls311 {
    ts
    source
    simulated
    count
    byType {
      type
      count
    }
  }
}` as TypedDocument<LiveInputsSubscription, LiveInputsSubscriptionVariables>;

export const LiveResultsDocument = `subscription LiveResults($cityId: String!) {
  zoneProcessed(cityId: $cityId, minIntervalMs: 250) {
    snapshot
    zones {
      zoneId
      processed {
        runId
        processedAt
        simulated
        features {
          name
          value
        }
        anomalies {
          feature
          value
          mean
          z
          samples
          anomalous
        }
        risk {
          score
          level
          parts {
            name
            score
            weight
            reason
          }
        }
        recommendations {
          rule
          priority
          text
          reason
        }
        freshness {
          input
          state
          ts
          limitSeconds
        }
      }
    }
  }
}` as TypedDocument<LiveResultsSubscription, LiveResultsSubscriptionVariables>;

export const LiveAlertsDocument = `fragment Alert on LiveAlert {
  alertId
  zoneId
  rule
  severity
  status
  reason
  raisedAt
  updatedAt
  acknowledgedAt
  clearedAt
}

subscription LiveAlerts($cityId: String!) {
  alertRaised(cityId: $cityId, minIntervalMs: 250) {
    snapshot
    alerts {
      ...Alert
    }
  }
}` as TypedDocument<LiveAlertsSubscription, LiveAlertsSubscriptionVariables>;

export const LiveClearedAlertsDocument = `fragment Alert on LiveAlert {
  alertId
  zoneId
  rule
  severity
  status
  reason
  raisedAt
  updatedAt
  acknowledgedAt
  clearedAt
}

query LiveClearedAlerts($cityId: String!) {
  cityLive(cityId: $cityId) {
    alerts(status: [CLEARED], first: 100) {
      ...Alert
    }
  }
}` as TypedDocument<LiveClearedAlertsQuery, LiveClearedAlertsQueryVariables>;

export const LiveZoneDetailDocument = `query LiveZoneDetail($cityId: String!, $zoneId: String!, $lastHours: Int!) {
  cityLive(cityId: $cityId) {
    zone(zoneId: $zoneId) {
      districts {
        id
        name
      }
      processed {
        forecast {
          model
          reason
          hours {
            ts
            value
            low
            high
          }
        }
      }
      history(lastHours: $lastHours) {
        features {
          name
          times
          values
        }
        risk {
          name
          times
          values
        }
      }
    }
  }
}` as TypedDocument<LiveZoneDetailQuery, LiveZoneDetailQueryVariables>;

export const LiveComparisonDocument = `query LiveComparison($cityId: String!, $feature: String!, $lastHours: Int!) {
  cityLive(cityId: $cityId) {
    compare(feature: $feature, lastHours: $lastHours) {
      name
      times
      values
    }
  }
}` as TypedDocument<LiveComparisonQuery, LiveComparisonQueryVariables>;

export const LiveModelsDocument = `query LiveModels($cityId: String!) {
  cityLive(cityId: $cityId) {
    models {
      zoneId
      model
      version
      ts
      unit
      ran
      error
      errorHours
      chosen
      problem
      hours {
        ts
        value
      }
    }
  }
}` as TypedDocument<LiveModelsQuery, LiveModelsQueryVariables>;

export const LiveFeedPageDocument = `fragment FeedItem on LiveFeedItem {
  id
  topic
  type
  ts
  ingestedAt
  source
  simulated
  payload
  zoneId
}

query LiveFeedPage($cityId: String!, $topic: LiveTopic, $zoneId: String, $first: Int!, $after: String) {
  liveFeed(
    cityId: $cityId
    topic: $topic
    zoneId: $zoneId
    first: $first
    after: $after
  ) {
    nodes {
      ...FeedItem
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}` as TypedDocument<LiveFeedPageQuery, LiveFeedPageQueryVariables>;

export const LiveFeedNewsDocument = `fragment FeedItem on LiveFeedItem {
  id
  topic
  type
  ts
  ingestedAt
  source
  simulated
  payload
  zoneId
}

subscription LiveFeedNews($cityId: String!, $topic: LiveTopic, $zoneId: String) {
  liveFeed(
    cityId: $cityId
    topic: $topic
    zoneId: $zoneId
    last: 0
    minIntervalMs: 250
  ) {
    snapshot
    items {
      ...FeedItem
    }
  }
}` as TypedDocument<LiveFeedNewsSubscription, LiveFeedNewsSubscriptionVariables>;

export const SelectCityDocument = `mutation SelectCity($cityId: String!) {
  selectCity(cityId: $cityId) {
    cityId
  }
}` as TypedDocument<SelectCityMutation, SelectCityMutationVariables>;

export const ProcessCityDocument = `mutation ProcessCity($cityId: String!) {
  processCity(cityId: $cityId, wait: true) {
    zones
  }
}` as TypedDocument<ProcessCityMutation, ProcessCityMutationVariables>;

export const AcknowledgeAlertDocument = `fragment Alert on LiveAlert {
  alertId
  zoneId
  rule
  severity
  status
  reason
  raisedAt
  updatedAt
  acknowledgedAt
  clearedAt
}

mutation AcknowledgeAlert($alertId: String!) {
  acknowledgeAlert(alertId: $alertId) {
    ...Alert
  }
}` as TypedDocument<AcknowledgeAlertMutation, AcknowledgeAlertMutationVariables>;
