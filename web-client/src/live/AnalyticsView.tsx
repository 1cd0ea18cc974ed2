import { lazy, Suspense, useMemo, useState } from 'react';
import { fetchComparison, type Zone } from '../api/cityLive.ts';
import { useTexts } from '../i18n/context.ts';
import { useSay } from '../i18n/live.ts';
import { usePalette } from '../page/context.ts';
import { useSource } from '../twin/source.ts';
import { MOST_COMPARED, PERIODS } from '../url/liveAddress.ts';
import { problemText, useAnswer } from './answer.ts';
import { useAddress, useLive } from './context.ts';
import { byRisk, featureText, type JudgedZone } from './describe.ts';
import { RiskMark, WideTable } from './parts.tsx';
import { hourRows, lineOf, summaryOf } from './series.ts';

const LiveChart = lazy(async () => ({ default: (await import('./LiveChart.tsx')).LiveChart }));

const FEATURES = ['demand_mwh', 'temperature_c', 'us_aqi', 'congestion_ratio', 'calls_311'] as const;
/** Where nobody has chosen. */
const COMPARED = 3;
const ROWS = 24;

/** Zones beside each other: as they are now, and hour by hour. */
export function AnalyticsView() {
  const texts = useTexts();
  const { live } = useLive();
  const city = useSource(live.city);
  const zones = useSource(live.zones);
  const results = useSource(live.results);
  const judged = useMemo(() => byRisk(zones ?? [], results, texts.compare), [zones, results, texts]);
  if (!city) return null;
  return (
    <div className="analytics-view">
      <Hours cityId={city.cityId} timeZone={city.timeZone} version={city.processedAt} judged={judged} />
      <NowTable judged={judged} />
    </div>
  );
}

interface HoursProps {
  readonly cityId: string;
  readonly timeZone: string;
  readonly version: unknown;
  readonly judged: readonly JudgedZone[];
}

function Hours({ cityId, timeZone, version, judged }: HoursProps) {
  const say = useSay();
  const texts = useTexts();
  const { address } = useLive();
  const palette = usePalette();
  const { feature: wanted, hours = PERIODS[0], compared: chosen } = useAddress();
  const features = featuresIn(judged);
  const feature = wanted ?? features[0] ?? FEATURES[0];
  const { data, problem } = useAnswer(JSON.stringify([cityId, feature, hours]), version, (signal) => fetchComparison(cityId, feature, hours, { signal }));
  const compared = chosen ?? judged.slice(0, COMPARED).map(({ zone }) => zone.zoneId);
  const nameOf = (id: string) => judged.find(({ zone }) => zone.zoneId === id)?.zone.name ?? id;
  const lines = compared.map((id) => {
    const series = data?.find(({ name }) => name === id);
    return { name: nameOf(id), id, ...(series ? lineOf(series) : { times: [], values: [] }) };
  });
  const text = (value: number) => featureText(feature, value, texts);
  const isEmpty = data !== undefined && lines.every(({ times }) => times.length === 0);
  return (
    <section className="card sheet" aria-labelledby="hours-title">
      <h2 id="hours-title">{say('analytics.hours')}</h2>
      <div className="filters">
        <label>
          {say('analytics.feature')}
          <select value={feature} onChange={(event) => address.set({ feature: event.target.value })}>
            {[...new Set([...features, feature])].map((each) => (
              <option key={each} value={each}>
                {say.word('feature', each)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {say('analytics.period')}
          <select value={hours} onChange={(event) => address.set({ hours: Number(event.target.value) })}>
            {PERIODS.map((each) => (
              <option key={each} value={each}>
                {say('analytics.lastHours', { n: each })}
              </option>
            ))}
          </select>
        </label>
      </div>
      <ZonePicker zones={judged.map(({ zone }) => zone)} compared={compared} />
      {problem && <p className="notice offline">{problemText(problem, say)}</p>}
      {!data && !problem && <p className="soft">{say('app.asking')}</p>}
      {isEmpty && <p className="soft">{say('history.none')}</p>}
      {data && !isEmpty && (
        <>
          <Suspense fallback={<div className="live-chart" />}>
            <LiveChart lines={lines} label={say('analytics.chart', { what: say.word('feature', feature), zones: lines.map(({ name }) => name).join(', ') })} format={text} timeZone={timeZone} height={280} legend />
          </Suspense>
          <WideTable label={say('analytics.table', { what: say.word('feature', feature) })}>
            <thead>
              <tr>
                <th scope="col">{say('table.hour')}</th>
                {lines.map(({ id, name }, i) => (
                  <th key={id} scope="col">
                    <span className="swatch" style={{ background: palette.lines[i] }} /> {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {(['least', 'mean', 'most'] as const).map((which) => (
                <tr key={which} className="summary">
                  <th scope="row">{say(`table.${which}`)}</th>
                  {lines.map((line) => {
                    const summary = summaryOf(line);
                    return <td key={line.id}>{summary ? text(summary[which]) : '–'}</td>;
                  })}
                </tr>
              ))}
              <HourRows lines={lines} timeZone={timeZone} text={text} />
            </tbody>
          </WideTable>
        </>
      )}
    </section>
  );
}

interface RowsProps {
  readonly lines: readonly { readonly id: string; readonly times: readonly number[]; readonly values: readonly number[] }[];
  readonly timeZone: string;
  readonly text: (value: number) => string;
}

function HourRows({ lines, timeZone, text }: RowsProps) {
  const texts = useTexts();
  return hourRows(lines)
    .slice(0, ROWS)
    .map(({ time, values }) => (
      <tr key={time}>
        <th scope="row">{texts.hour(time, timeZone)}</th>
        {lines.map(({ id }, i) => {
          const value = values[i];
          return <td key={id}>{value === undefined ? '–' : text(value)}</td>;
        })}
      </tr>
    ));
}

/** Those that are known, in our order; others after them. */
function featuresIn(judged: readonly JudgedZone[]): readonly string[] {
  const found = new Set(judged.flatMap(({ result }) => result?.features.map(({ name }) => name) ?? []));
  const ours = FEATURES.filter((name) => found.has(name));
  const others = [...found].filter((name) => !ours.some((each) => each === name)).toSorted();
  return [...ours, ...others];
}

function ZonePicker({ zones, compared }: { readonly zones: readonly Zone[]; readonly compared: readonly string[] }) {
  const say = useSay();
  const texts = useTexts();
  const { address } = useLive();
  const sorted = zones.toSorted((a, b) => texts.compare(a.name, b.name));
  return (
    <details className="picker">
      <summary>{say('analytics.zones', { n: compared.length, most: MOST_COMPARED })}</summary>
      <ul>
        {sorted.map(({ zoneId, name }) => {
          const isOn = compared.includes(zoneId);
          return (
            <li key={zoneId}>
              <label className="check">
                <input
                  type="checkbox"
                  checked={isOn}
                  disabled={!isOn && compared.length >= MOST_COMPARED}
                  onChange={() => address.set({ compared: isOn ? compared.filter((each) => each !== zoneId) : [...compared, zoneId] })}
                />
                {name}
              </label>
            </li>
          );
        })}
      </ul>
    </details>
  );
}

/** A zone's value in a column of the table. */
function valueOf({ result }: JudgedZone, name: string): number | undefined {
  return name === 'risk' ? result?.risk.score : result?.features.find((each) => each.name === name)?.value;
}

function NowTable({ judged }: { readonly judged: readonly JudgedZone[] }) {
  const say = useSay();
  const texts = useTexts();
  const { address } = useLive();
  const [by, setBy] = useState('risk');
  const features = featuresIn(judged);
  const sorted = judged.toSorted((a, b) => (valueOf(b, by) ?? Number.NEGATIVE_INFINITY) - (valueOf(a, by) ?? Number.NEGATIVE_INFINITY));
  return (
    <section className="card sheet" aria-labelledby="now-title">
      <h2 id="now-title">{say('analytics.now')}</h2>
      {judged.every(({ result }) => !result) ? (
        <p className="soft">{say('history.none')}</p>
      ) : (
        <WideTable label={say('analytics.nowCaption')}>
          <thead>
            <tr>
              <th scope="col">{say('stream.zone')}</th>
              {['risk', ...features].map((name) => (
                <th key={name} scope="col" aria-sort={by === name ? 'descending' : undefined}>
                  <button type="button" onClick={() => setBy(name)}>
                    {say.word('feature', name)}
                    {by === name && <span aria-hidden="true"> ↓</span>}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sorted.map(({ zone, result }) => (
              <tr key={zone.zoneId}>
                <th scope="row">
                  <a href={address.with({ view: 'zones', zone: zone.zoneId })}>{zone.name}</a>
                </th>
                <td>
                  <RiskMark result={result} />
                </td>
                {features.map((name) => {
                  const value = valueOf({ zone, result }, name);
                  return <td key={name}>{value === undefined ? '–' : featureText(name, value, texts)}</td>;
                })}
              </tr>
            ))}
          </tbody>
        </WideTable>
      )}
    </section>
  );
}
