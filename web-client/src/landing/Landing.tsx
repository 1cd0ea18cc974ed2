import { useEffect } from 'react';
import { fetchCityCounts } from '../api/city.ts';
import { fetchReadiness } from '../api/readiness.ts';
import { Counts } from './Counts.tsx';
import { DOCUMENTS, DOORS } from './doors.ts';
import { Skyline } from './Skyline.tsx';
import { statusOf } from './status.ts';
import { usePolled } from './usePolled.ts';

const READINESS_INTERVAL_MS = 3000;
// The dashboard's pace: state.incremental goes out every five seconds by default.
const COUNTS_INTERVAL_MS = 5000;

/** The page at `/`: how the city is, and the ways in. */
export function Landing() {
  const readiness = usePolled(fetchReadiness, READINESS_INTERVAL_MS);
  const counts = usePolled(fetchCityCounts, COUNTS_INTERVAL_MS);
  const status = statusOf(readiness.value, readiness.problem);
  const cityName = counts.value?.name;

  useEffect(() => {
    document.title = cityName ? `${cityName} · citytwin` : 'citytwin';
  }, [cityName]);

  return (
    <>
      <header>
        <div className="masthead page">
          <p className="product">citytwin</p>
          <h1>{cityName ?? 'A city, live'}</h1>
          <output className="status">
            <span className={`pill ${status.tone}`}>{status.label}</span>
            <span>{status.detail}</span>
          </output>
          <p className="actions">
            <a className="button" href="/graphiql">
              Open GraphiQL
            </a>
            <a className="button quiet" href="/schema.graphql">
              Read the schema
            </a>
          </p>
        </div>
        <Skyline />
      </header>
      <main className="page">
        {readiness.value && readiness.value.degraded.length > 0 && (
          <section className="troubles" aria-labelledby="troubles">
            <h2 id="troubles">What needs attention</h2>
            <ul>
              {readiness.value.degraded.map(({ what, state, since, message }) => (
                <li key={what}>
                  <strong>
                    {what} is {state}
                  </strong>{' '}
                  since <time dateTime={since}>{new Date(since).toLocaleTimeString()}</time>
                  <br />
                  {message}
                </li>
              ))}
            </ul>
          </section>
        )}
        <Counts counts={counts.value} problem={counts.problem} />
        <section aria-labelledby="doors">
          <h2 id="doors">Ways in</h2>
          <ul className="doors">
            {DOORS.map(({ href, title, text }) => (
              <li key={href}>
                <a href={href}>
                  <strong>{title}</strong>
                  <code>{href}</code>
                  <span>{text}</span>
                </a>
              </li>
            ))}
          </ul>
        </section>
        <section aria-labelledby="documents">
          <h2 id="documents">In the repository</h2>
          <dl className="documents">
            {DOCUMENTS.map(({ path, text }) => (
              <div key={path}>
                <dt>
                  <code>{path}</code>
                </dt>
                <dd>{text}</dd>
              </div>
            ))}
          </dl>
        </section>
      </main>
    </>
  );
}
