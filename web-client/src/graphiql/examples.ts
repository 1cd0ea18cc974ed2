import cityAtAGlance from './examples/city-at-a-glance.graphql?raw';
import dashboard from './examples/dashboard.graphql?raw';
import sensorsInABox from './examples/sensors-in-a-box.graphql?raw';
import nearAPoint from './examples/near-a-point.graphql?raw';
import search from './examples/search.graphql?raw';
import twinChanges from './examples/twin-changes.graphql?raw';
import busChanges from './examples/bus-changes.graphql?raw';
import stateDelta from './examples/state-delta.graphql?raw';
import cityLive from './examples/city-live.graphql?raw';
import liveFeed from './examples/live-feed.graphql?raw';
import selectCity from './examples/select-city.graphql?raw';
import removeEntity from './examples/remove-entity.graphql?raw';

/** An operation that GraphiQL opens in a tab of its own. */
export interface Example {
  readonly query: string;
  readonly headers?: string;
}

/** The headers editor takes JSON with comments; without a header in it nothing is sent. */
const TOKEN_HINT = `{
  // Where the server has an ADMIN_TOKEN:
  // "Authorization": "Bearer <ADMIN_TOKEN>"
}
`;

/** The tabs of a first visit, in this order. */
export const EXAMPLES: readonly Example[] = [
  { query: cityAtAGlance },
  { query: dashboard },
  { query: sensorsInABox },
  { query: nearAPoint },
  { query: search },
  { query: twinChanges },
  { query: busChanges },
  { query: stateDelta },
  { query: cityLive },
  { query: liveFeed },
  { query: selectCity, headers: TOKEN_HINT },
  { query: removeEntity, headers: TOKEN_HINT },
];
