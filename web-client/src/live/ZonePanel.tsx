import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { type CityState, fetchZoneDetail, type Raw, type ZoneDetail } from '../api/cityLive.ts';
import { useTexts } from '../i18n/context.ts';
import { useSay } from '../i18n/live.ts';
import { useNow } from '../page/hooks.ts';
import { Glyph } from '../panels/icons.tsx';
import { useSource } from '../twin/source.ts';
import { AlertList } from './AlertList.tsx';
import { problemText, useAnswer } from './answer.ts';
import { useLive } from './context.ts';
import { featureText, type InputState, inputStates, type JudgedZone, quantity, staleInputs } from './describe.ts';
import { Age, Bar, RiskMark, SourceName, StateChip } from './parts.tsx';
import { lineOf, summaryOf } from './series.ts';

const LiveChart = lazy(async () => ({ default: (await import('./LiveChart.tsx')).LiveChart }));

const HISTORY_HOURS = 48;

interface Props {
  readonly judged: JudgedZone;
  readonly city: CityState;
  readonly raw: Raw | undefined;
  /** Whether the keyboard goes along. */
  readonly focus: boolean;
  close(): void;
}

/** All that is known of one zone. */
export function ZonePanel({ judged: { zone, result }, city, raw, focus, close }: Props) {
  const say = useSay();
  const { live } = useLive();
  const alerts = useSource(live.alerts);
  const heading = useRef<HTMLHeadingElement>(null);
  const { data: detail, problem } = useAnswer(JSON.stringify([city.cityId, zone.zoneId]), result?.runId, (signal) =>
    fetchZoneDetail(city.cityId, zone.zoneId, HISTORY_HOURS, { signal }),
  );
  useEffect(() => {
    if (focus) heading.current?.focus({ preventScroll: true });
  }, [focus]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isBusy = event.target instanceof HTMLInputElement || document.querySelector('dialog[open], :popover-open') !== null;
      if (event.key === 'Escape' && !isBusy) close();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [close]);

  const old = result ? staleInputs(result) : [];
  return (
    <aside className="zone-panel card" aria-label={say('zone.title')}>
      <header>
        <div>
          <h2 ref={heading} tabIndex={-1}>
            {zone.name}
          </h2>
          <p className="soft small">
            {result ? <>{say('zone.processed')} <Age at={Date.parse(result.processedAt)} /></> : say('zone.unprocessed')}
          </p>
        </div>
        <RiskMark result={result} />
        <button type="button" className="icon" aria-label={say('zone.close')} onClick={close}>
          <Glyph name="close" />
        </button>
      </header>
      {/* It scrolls, and holds text that nothing else takes the keyboard to. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <section className="scroll" tabIndex={0} aria-label={zone.name}>
        {result && old.length > 0 && (
          <p className="notice">
            {say('zone.old', { list: old.map(({ input }) => say.word('input', input)).join(', ') })}
          </p>
        )}
        <AlertList alerts={(alerts ?? []).filter(({ zoneId }) => zoneId === zone.zoneId)} title={say('alerts.title')} quiet />
        {result && result.risk.parts.length > 0 && <RiskParts result={result} />}
        {result && <Recommendations result={result} />}
        <Inputs raw={raw} freshness={result?.freshness ?? []} />
        {problem && <p className="notice offline">{problemText(problem, say)}</p>}
        {detail && <Charts detail={detail} timeZone={city.timeZone} />}
        {result && <Anomalies result={result} />}
        {detail && detail.districts.length > 0 && (
          <section>
            <h3>{say('zone.districts')}</h3>
            <ul className="chips">
              {detail.districts.map(({ id, name }) => (
                <li key={id}>
                  <a className="chip" href={`/#at=${encodeURIComponent(id).replaceAll('%2F', '/')}`}>
                    <Glyph name="districts" size={14} />
                    {name}
                  </a>
                </li>
              ))}
            </ul>
          </section>
        )}
      </section>
    </aside>
  );
}

type Result = NonNullable<JudgedZone['result']>;

function RiskParts({ result: { risk } }: { readonly result: Result }) {
  const say = useSay();
  const texts = useTexts();
  return (
    <section>
      <h3>{say('risk.parts')}</h3>
      <ul className="risk-parts">
        {risk.parts.map(({ name, score, weight, reason }) => (
          <li key={name}>
            <span className="name">{say.word('part', name)}</span>
            <span className="value">{say('risk.part', { score: texts.number(score), weight: texts.percent(weight) })}</span>
            <Bar value={score} level={levelOf(score)} />
            {/* The server's own words. */}
            <span className="reason soft small" lang="en">{reason}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The colour of a part: a quarter for each level. */
function levelOf(score: number): Result['risk']['level'] {
  return score < 25 ? 'LOW' : score < 50 ? 'MODERATE' : score < 75 ? 'HIGH' : 'SEVERE';
}

function Recommendations({ result: { recommendations } }: { readonly result: Result }) {
  const say = useSay();
  return (
    <section>
      <h3>{say('advice.title')}</h3>
      {recommendations.length === 0 && <p className="soft">{say('advice.none')}</p>}
      <ul className="advice-list">
        {recommendations.map(({ rule, priority, text, reason }) => (
          <li key={rule}>
            <span className="priority" title={say('advice.priority', { n: priority })}>
              <span className="unseen">{say('advice.priority', { n: '' })}</span>
              {priority}
            </span>
            <span lang="en">
              {text} <span className="soft small">{reason}</span>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Inputs({ raw, freshness }: { readonly raw: Raw | undefined; readonly freshness: Result['freshness'] }) {
  const say = useSay();
  const texts = useTexts();
  const now = useNow(5000);
  if (!raw) return <p className="soft">{say('zone.asking')}</p>;
  return (
    <section>
      <h3>{say('zone.values')}</h3>
      <ul className="inputs">
        {inputStates(raw, freshness, now, say, texts).map((each) => (
          <InputCard key={each.input} {...each} />
        ))}
      </ul>
    </section>
  );
}

function InputCard({ input, rows, source, simulated, ts, state, limitSeconds, wholeCity }: InputState) {
  const say = useSay();
  const texts = useTexts();
  return (
    <li className="input">
      <div className="what">
        <strong>{say.word('input', input)}</strong>
        <StateChip state={state} />
      </div>
      {ts !== undefined && source !== undefined ? (
        <p className="soft small">
          <Age at={ts} /> · <SourceName source={source} simulated={simulated} />
          {wholeCity && ` · ${say('zone.wholeCity')}`}
          {state === 'STALE' && limitSeconds !== undefined && ` · ${say('zone.limit', { n: texts.number(limitSeconds / 60) })}`}
        </p>
      ) : (
        <p className="soft small">{say('zone.missing')}</p>
      )}
      <dl className="rows">
        {rows.map(({ label, value }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </li>
  );
}

function Charts({ detail, timeZone }: { readonly detail: ZoneDetail; readonly timeZone: string }) {
  const say = useSay();
  const texts = useTexts();
  const [chosen, setChosen] = useState('');
  const forecast = detail.processed?.forecast;
  const features = detail.history.features.filter(({ times }) => times.length > 0);
  const score = detail.history.risk.find(({ name }) => name === 'score');
  const series = score && score.times.length > 0 ? [...features, { ...score, name: 'risk' }] : features;
  const shown = series.find(({ name }) => name === chosen) ?? series[0];
  return (
    <>
      <ForecastChart detail={detail} timeZone={timeZone} />
      {forecast && (
        <details>
          <summary>{say('forecast.table')}</summary>
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{say('table.hour')}</th>
                <th scope="col">{say('forecast.value')}</th>
                <th scope="col">{say('forecast.band')}</th>
              </tr>
            </thead>
            <tbody>
              {forecast.hours.map(({ ts, value, low, high }) => (
                <tr key={ts}>
                  <th scope="row">{texts.hour(Date.parse(ts), timeZone)}</th>
                  <td>{quantity(value, 'MWh', texts)}</td>
                  <td>
                    {texts.number(low, 1)} – {texts.number(high, 1)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
      <section>
        <h3>{say('history.title', { n: HISTORY_HOURS })}</h3>
        {!shown && <p className="soft">{say('history.none')}</p>}
        {shown && (
          <>
            <label className="choice">
              <span className="unseen">{say('history.what')}</span>
              <select value={shown.name} onChange={(event) => setChosen(event.target.value)}>
                {series.map(({ name }) => (
                  <option key={name} value={name}>
                    {say.word('feature', name)}
                  </option>
                ))}
              </select>
            </label>
            <Suspense fallback={<div className="live-chart" />}>
              <LiveChart
                lines={[{ name: say.word('feature', shown.name), ...lineOf(shown) }]}
                label={chartLabel(shown.name)}
                format={(value) => featureText(shown.name, value, texts)}
                timeZone={timeZone}
              />
            </Suspense>
          </>
        )}
      </section>
    </>
  );

  function chartLabel(name: string): string {
    const summary = shown && summaryOf(lineOf(shown));
    if (!summary) return say.word('feature', name);
    const text = (value: number) => featureText(name, value, texts);
    return say('chart.label', { what: say.word('feature', name), least: text(summary.least), most: text(summary.most), last: text(summary.last) });
  }
}

function ForecastChart({ detail, timeZone }: { readonly detail: ZoneDetail; readonly timeZone: string }) {
  const say = useSay();
  const texts = useTexts();
  const forecast = detail.processed?.forecast;
  const measured = detail.history.features.find(({ name }) => name === 'demand_mwh');
  if (!forecast) return <section><h3>{say('forecast.title')}</h3><p className="soft">{say('forecast.none')}</p></section>;
  const times = forecast.hours.map(({ ts }) => Date.parse(ts));
  const from = (times[0] ?? 0) - 24 * 3_600_000;
  const known = measured && lineOf(measured);
  const recent = { times: known?.times.filter((time) => time >= from) ?? [], values: known?.values.filter((_, i) => (known.times[i] ?? 0) >= from) ?? [] };
  const values = forecast.hours.map(({ value }) => value);
  const text = (value: number) => quantity(value, 'MWh', texts);
  return (
    <section>
      <h3>{say('forecast.title')}</h3>
      <Suspense fallback={<div className="live-chart" />}>
        <LiveChart
          lines={[
            { name: say('forecast.measured'), ...recent },
            { name: say('forecast.value'), times, values, dashed: true },
          ]}
          band={{ times, low: forecast.hours.map(({ low }) => low), high: forecast.hours.map(({ high }) => high) }}
          label={say('forecast.label', { least: text(Math.min(...values)), most: text(Math.max(...values)) })}
          format={text}
          timeZone={timeZone}
          height={170}
          legend
        />
      </Suspense>
      <p className="soft small">
        {say('forecast.by', { model: say.word('source', forecast.model) })} <span lang="en">{forecast.reason}</span>
      </p>
    </section>
  );
}

function Anomalies({ result: { anomalies } }: { readonly result: Result }) {
  const say = useSay();
  const texts = useTexts();
  const found = anomalies.filter(({ anomalous }) => anomalous);
  return (
    <section>
      <h3>{say('anomaly.title')}</h3>
      {anomalies.length === 0 && <p className="soft">{say('anomaly.tooFew')}</p>}
      {anomalies.length > 0 && found.length === 0 && <p className="soft">{say('anomaly.none', { n: texts.number(anomalies.length) })}</p>}
      <ul>
        {found.map(({ feature, value, mean, z, samples }) => (
          <li key={feature}>
            {say('anomaly.is', { what: say.word('feature', feature), value: featureText(feature, value, texts), mean: featureText(feature, mean, texts), z: texts.number(z, 1), n: texts.number(samples) })}
          </li>
        ))}
      </ul>
    </section>
  );
}
