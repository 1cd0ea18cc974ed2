import { useMemo, useState } from 'react';
import { fetchClearedAlerts } from '../api/cityLive.ts';
import { useTexts } from '../i18n/context.ts';
import { useSay } from '../i18n/live.ts';
import { useSource } from '../twin/source.ts';
import { AlertList } from './AlertList.tsx';
import { problemText, useAnswer } from './answer.ts';
import { useLive } from './context.ts';
import { adviceOf, byRisk } from './describe.ts';

/** What is advised in all zones, and the alerts. */
export function AdviceView() {
  const say = useSay();
  const texts = useTexts();
  const { live, operator, address } = useLive();
  const city = useSource(live.city);
  const zones = useSource(live.zones);
  const results = useSource(live.results);
  const alerts = useSource(live.alerts);
  const allowed = useSource(operator.allowed);
  const [withCleared, setWithCleared] = useState(false);
  const advice = useMemo(() => adviceOf(byRisk(zones ?? [], results, texts.compare)), [zones, results, texts]);
  const cleared = useAnswer(withCleared && city ? city.cityId : undefined, alerts, (signal) => fetchClearedAlerts(city?.cityId ?? '', { signal }));
  if (!city) return null;
  return (
    <div className="advice-view">
      <section className="card sheet" aria-labelledby="alerts-title">
        <h2 id="alerts-title">
          {say('alerts.title')} <span className="count">{texts.number(alerts?.length ?? 0)}</span>
        </h2>
        {allowed === false && <p className="soft small">{say('alerts.signIn')}</p>}
        {alerts ? <AlertList alerts={alerts} /> : <p className="soft">{say('app.asking')}</p>}
        <label className="check">
          <input type="checkbox" checked={withCleared} onChange={(event) => setWithCleared(event.target.checked)} />
          {say('alerts.showCleared')}
        </label>
        {cleared.problem && <p className="notice offline">{problemText(cleared.problem, say)}</p>}
        {withCleared && cleared.data && <AlertList alerts={cleared.data} title={say('alerts.over')} />}
      </section>
      <section className="card sheet" aria-labelledby="advice-title">
        <h2 id="advice-title">{say('advice.title')}</h2>
        {results && advice.length === 0 && <p className="soft">{say('advice.noneInCity')}</p>}
        <ul className="advice-groups">
          {advice.map(({ rule, priority, text, zones: where }) => (
            <li key={`${priority} ${rule} ${text}`}>
              <h3>
                <span className="priority" title={say('advice.priority', { n: priority })}>
                  <span className="unseen">{say('advice.priority', { n: '' })}</span>
                  {priority}
                </span>
                <span lang="en">{text}</span>
              </h3>
              <details open={where.length <= 3}>
                <summary>{say('advice.zones', { n: texts.number(where.length) })}</summary>
                <dl className="reasons">
                  {where.map(({ zone, reason }) => (
                    <div key={zone.zoneId}>
                      <dt>
                        <a href={address.with({ view: 'zones', zone: zone.zoneId })}>{zone.name}</a>
                      </dt>
                      <dd className="soft small" lang="en">{reason}</dd>
                    </div>
                  ))}
                </dl>
              </details>
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}
