import { lazy, Suspense } from 'react';
import { fetchModels, type ModelOutput } from '../api/cityLive.ts';
import { useTexts } from '../i18n/context.ts';
import { useSay } from '../i18n/live.ts';
import { useSource } from '../twin/source.ts';
import { problemText, useAnswer } from './answer.ts';
import { useAddress, useLive } from './context.ts';
import { quantity } from './describe.ts';
import { modelsOf } from './models.ts';
import { Age, WideTable } from './parts.tsx';

const LiveChart = lazy(async () => ({ default: (await import('./LiveChart.tsx')).LiveChart }));

/** What the models say for each zone, how far they were off so far, and how old that is. */
export function ModelsView() {
  const say = useSay();
  const texts = useTexts();
  const { live } = useLive();
  const city = useSource(live.city);
  const { data, problem } = useAnswer(city?.cityId, city?.processedAt, (signal) => fetchModels(city?.cityId ?? '', { signal }));
  if (!city) return null;
  return (
    <div className="models-view">
      {problem && <p className="notice offline">{problemText(problem, say)}</p>}
      {!data && !problem && <p className="soft">{say('app.asking')}</p>}
      {data?.length === 0 && <p className="card sheet soft">{say('models.none')}</p>}
      {data && data.length > 0 && (
        <>
          <section className="card sheet" aria-labelledby="models-title">
            <h2 id="models-title">{say('view.models')}</h2>
            <ul className="model-cards">
              {modelsOf(data).map(({ model, version, chosen, zones, meanError, problems }) => (
                <li key={model} className="input">
                  <div className="what">
                    <strong>{say.word('source', model)}</strong>
                    {chosen && <span className="state-chip fresh">{say('models.chosen')}</span>}
                  </div>
                  <p className="soft small">{say('models.version', { version })}</p>
                  <dl className="rows">
                    <div>
                      <dt>{say('models.zones')}</dt>
                      <dd>{texts.number(zones)}</dd>
                    </div>
                    <div>
                      <dt>{say('models.meanError')}</dt>
                      <dd>{meanError === undefined ? say('models.noError') : texts.percent(meanError)}</dd>
                    </div>
                    {problems > 0 && (
                      <div>
                        <dt>{say('models.problems')}</dt>
                        <dd>{texts.number(problems)}</dd>
                      </div>
                    )}
                  </dl>
                </li>
              ))}
            </ul>
            <p className="soft small">{say('models.errorMeaning')}</p>
          </section>
          <OneZone outputs={data} timeZone={city.timeZone} />
          <AllOutputs outputs={data} />
        </>
      )}
    </div>
  );
}

function useZoneName(): (zoneId: string) => string {
  const zones = useSource(useLive().live.zones);
  return (zoneId) => zones?.find((zone) => zone.zoneId === zoneId)?.name ?? zoneId;
}

function OneZone({ outputs, timeZone }: { readonly outputs: readonly ModelOutput[]; readonly timeZone: string }) {
  const say = useSay();
  const texts = useTexts();
  const { address } = useLive();
  const { zone } = useAddress();
  const nameOf = useZoneName();
  const ids = [...new Set(outputs.map(({ zoneId }) => zoneId))].toSorted((a, b) => texts.compare(nameOf(a), nameOf(b)));
  const shown = ids.find((id) => id === zone) ?? ids[0] ?? '';
  const own = outputs.filter(({ zoneId, hours }) => zoneId === shown && hours.length > 0);
  return (
    <section className="card sheet" aria-labelledby="one-zone-title">
      <h2 id="one-zone-title">{say('models.output')}</h2>
      <div className="filters">
        <label>
          {say('stream.zone')}
          <select value={shown} onChange={(event) => address.set({ zone: event.target.value })}>
            {ids.map((id) => (
              <option key={id} value={id}>
                {nameOf(id)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {own.length === 0 ? (
        <p className="soft">{say('models.noOutput')}</p>
      ) : (
        <Suspense fallback={<div className="live-chart" />}>
          <LiveChart
            lines={own.map(({ model, hours, chosen }) => ({ name: say.word('source', model), times: hours.map(({ ts }) => Date.parse(ts)), values: hours.map(({ value }) => value), dashed: !chosen }))}
            label={say('models.chart', { zone: nameOf(shown), models: own.map(({ model }) => say.word('source', model)).join(', ') })}
            format={(value) => quantity(value, own[0]?.unit ?? '', texts)}
            timeZone={timeZone}
            height={220}
            legend
          />
        </Suspense>
      )}
    </section>
  );
}

function AllOutputs({ outputs }: { readonly outputs: readonly ModelOutput[] }) {
  const say = useSay();
  const texts = useTexts();
  const nameOf = useZoneName();
  const sorted = outputs.toSorted((a, b) => texts.compare(nameOf(a.zoneId), nameOf(b.zoneId)) || Number(b.chosen) - Number(a.chosen));
  return (
    <section className="card sheet" aria-labelledby="outputs-title">
      <h2 id="outputs-title">{say('models.all')}</h2>
      <WideTable label={say('models.all')}>
        <thead>
          <tr>
            {(['zone', 'model', 'next', 'day', 'error', 'age', 'ran'] as const).map((column) => (
              <th key={column} scope="col">
                {say(`models.column.${column}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map((output) => {
            const { zoneId, model, version, ts, unit, ran, error, errorHours, chosen, problem, hours } = output;
            const next = hours[0]?.value;
            return (
              <tr key={`${zoneId} ${model}`}>
                <th scope="row">{nameOf(zoneId)}</th>
                <td>
                  {say.word('source', model)} <span className="soft small">{version}</span> {chosen && <span className="state-chip fresh">{say('models.chosen')}</span>}
                  {problem !== null && (
                    <span className="problem small" lang="en">
                      {' '}
                      {problem}
                    </span>
                  )}
                </td>
                <td>{next === undefined ? '–' : quantity(next, unit, texts)}</td>
                <td>{hours.length === 0 ? '–' : quantity(hours.reduce((sum, { value }) => sum + value, 0), unit, texts)}</td>
                <td>{error === null ? say('models.noError') : say('models.error', { error: texts.percent(error), n: texts.number(errorHours) })}</td>
                <td>
                  <Age at={Date.parse(ts)} />
                </td>
                <td>{say.word('source', ran)}</td>
              </tr>
            );
          })}
        </tbody>
      </WideTable>
    </section>
  );
}
