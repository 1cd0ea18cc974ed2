import { acknowledgeAlert, type Alert } from '../api/cityLive.ts';
import { useSay } from '../i18n/live.ts';
import { Glyph } from '../panels/icons.tsx';
import { useSource } from '../twin/source.ts';
import { useDeed } from './CityChoice.tsx';
import { useLive } from './context.ts';
import { Age } from './parts.tsx';

interface Props {
  readonly alerts: readonly Alert[];
  readonly title?: string;
  /** Whether it stands in a zone's panel: then it names no zone, and nothing is there where there is no alert. */
  readonly quiet?: boolean;
}

/** Alerts with their reasons, and the way to say that one was seen. */
export function AlertList({ alerts, title, quiet = false }: Props) {
  const say = useSay();
  if (quiet && alerts.length === 0) return null;
  return (
    <section>
      {title !== undefined && <h3>{title}</h3>}
      {alerts.length === 0 && <p className="soft">{say('alerts.none')}</p>}
      <ul className="alert-list">
        {alerts.map((alert) => (
          <AlertEntry key={alert.alertId} alert={alert} withZone={!quiet} />
        ))}
      </ul>
    </section>
  );
}

function AlertEntry({ alert, withZone }: { readonly alert: Alert; readonly withZone: boolean }) {
  const say = useSay();
  const { live, operator, address } = useLive();
  const zones = useSource(live.zones);
  const allowed = useSource(operator.allowed);
  const { busy, problem, act } = useDeed();
  const { alertId, zoneId, severity, status, reason, raisedAt, acknowledgedAt, clearedAt } = alert;
  const zone = zones?.find((each) => each.zoneId === zoneId);
  return (
    <li className={`alert ${severity.toLowerCase()}`}>
      <div className="what">
        <span className="severity">{say(`severity.${severity}`)}</span>
        {withZone && (zoneId === null ? <span>{say('alerts.wholeCity')}</span> : <a href={address.with({ view: 'zones', zone: zoneId })}>{zone?.name ?? zoneId}</a>)}
        <span className="soft small">
          {say('alerts.raised')} <Age at={Date.parse(raisedAt)} />
        </span>
      </div>
      <p lang="en">{reason}</p>
      {status === 'OPEN' && allowed === true && (
        <div className="actions">
          <button type="button" disabled={busy} onClick={() => void act(async (token) => live.change(await acknowledgeAlert(alertId, { token })))}>
            <Glyph name="check" size={16} />
            {say('alerts.acknowledge')}
          </button>
        </div>
      )}
      {status === 'ACKNOWLEDGED' && acknowledgedAt !== null && (
        <p className="soft small">
          {say('alerts.acknowledged')} <Age at={Date.parse(acknowledgedAt)} />
        </p>
      )}
      {status === 'CLEARED' && clearedAt !== null && (
        <p className="soft small">
          {say('alerts.cleared')} <Age at={Date.parse(clearedAt)} />
        </p>
      )}
      {problem !== undefined && <p className="notice offline">{problem}</p>}
    </li>
  );
}
