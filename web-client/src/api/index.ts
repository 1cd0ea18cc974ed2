/**
 * The typed way to citytwin's server, for any page, without React: `docs/live-map.md` shows a live map made with it.
 *
 * `TwinFeed` holds what the city holds in a viewport; beside it stand the requests that a page makes now and then.
 */
export type { Transport } from './transport.ts';
export type * from './twin.ts';
export { type Background, fetchBackground } from './background.ts';
export { TwinFeed, type TwinFeedOptions } from './feed.ts';
export { GraphQLProblem, type RequestOptions, run } from './graphql.ts';
export { type Degraded, fetchReadiness, type Readiness } from './readiness.ts';
export {
  type City,
  type DistrictDashboard,
  entity,
  fetchCity,
  followDashboard,
  type Found,
  mayChange,
  removeEntity,
  search,
} from './requests.ts';
export { type IdParts, partsOf } from './store.ts';
export { serverSentEvents, socket } from './transport.ts';
