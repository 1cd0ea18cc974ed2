/** The server's own addresses that a newcomer wants. */
export const DOORS = [
  { href: '/graphiql', title: 'GraphiQL', text: 'Ask and subscribe in the browser, with examples in its tabs.' },
  { href: '/schema.graphql', title: 'Schema', text: 'Every type and field, with its meaning and unit.' },
  { href: '/api/state', title: 'State', text: 'The whole twin as JSON, as in the topic state.full.' },
  { href: '/metrics', title: 'Metrics', text: 'Throughput, lag and latency, as Prometheus reads them.' },
] as const;

/** The documents in the repository that go on from here. */
export const DOCUMENTS = [
  { path: 'README.md', text: 'What citytwin is, and how to start it' },
  { path: 'docs/state-feed.md', text: 'Following the city through Kafka' },
  { path: 'docs/operations.md', text: 'Settings, topics, and what to do when something is wrong' },
  { path: 'docs/metrics.md', text: 'Every metric, its labels and unit' },
] as const;
