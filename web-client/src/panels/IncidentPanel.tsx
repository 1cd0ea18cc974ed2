import { useEffect, useMemo, useRef, useState } from 'react';
import type { TwinEntity } from '../api/index.ts';
import { useTexts } from '../i18n/context.ts';
import type { Texts } from '../i18n/texts.ts';
import { usePage } from '../page/context.ts';
import { useNow } from '../page/hooks.ts';
import { ownIdOf, textOf, titleOf } from '../twin/describe.ts';
import { positionOf } from '../twin/geometry.ts';
import { useSource } from '../twin/source.ts';
import { EntityIcon } from './icons.tsx';

const SEVERITIES = ['critical', 'high', 'medium', 'low'];

/** An open incident with the units that are sent to it. */
export interface OpenIncident {
  readonly incident: TwinEntity;
  readonly units: readonly TwinEntity[];
}

/** The incidents that are not resolved, the worst and then the newest first, each with its units; and all other units. */
export function openIncidents(emergencies: readonly TwinEntity[]): { readonly open: readonly OpenIncident[]; readonly free: readonly TwinEntity[] } {
  const incidents = emergencies.filter(({ kind, fields }) => kind === 'INCIDENT' && fields['status'] !== 'resolved');
  const units = emergencies.filter(({ kind }) => kind === 'UNIT').toSorted((a, b) => (ownIdOf(a) < ownIdOf(b) ? -1 : 1));
  const taken = new Set<TwinEntity>();
  const open = incidents.map((incident) => {
    const named = new Set(incident.fields['assignedUnits'] as readonly string[] | undefined);
    const own = units.filter((unit) => named.has(ownIdOf(unit)) || unit.fields['assignedIncident'] === ownIdOf(incident));
    for (const unit of own) taken.add(unit);
    return { incident, units: own };
  });
  const rank = ({ incident }: OpenIncident) => {
    const at = SEVERITIES.indexOf(textOf(incident.fields['severity']) ?? '');
    return at < 0 ? SEVERITIES.length : at;
  };
  return {
    open: open.toSorted((a, b) => rank(a) - rank(b) || reportedAt(b.incident) - reportedAt(a.incident)),
    free: units.filter((unit) => !taken.has(unit)),
  };
}

function reportedAt(incident: TwinEntity): number {
  return Date.parse(textOf(incident.fields['reportedAt']) ?? textOf(incident.fields['lastUpdated']) ?? '') || 0;
}

/** The open incidents of the whole city, live, whatever the map shows. */
export function IncidentPanel() {
  const texts = useTexts();
  const { city } = usePage();
  const emergencies = useSource(city.emergencies);
  const now = useNow(5000);
  const { open, free } = useMemo(() => openIncidents(emergencies ?? []), [emergencies]);
  return (
    <section aria-labelledby="incidents-title" aria-busy={emergencies === undefined}>
      <h2 id="incidents-title">
        {texts.say('incidents.title')} {emergencies && <span className="count">{texts.number(open.length)}</span>}
      </h2>
      {emergencies === undefined && <p className="soft">{texts.say('incidents.loading')}</p>}
      {emergencies && open.length === 0 && <p className="soft">{texts.say('incidents.none')}</p>}
      <ul className="incidents">
        {open.map(({ incident, units }) => (
          <li key={incident.id}>
            <EntityButton entity={incident} className="incident">
              <EntityIcon entity={incident} size={26} />
              <span className="name">{titleOf(incident, texts)}</span>
              <span className="what">{textOf(incident.fields['description'])}</span>
              <span className="state">{incidentState(incident, texts)}</span>
              <span className="age">{texts.age(Math.max(0, now - reportedAt(incident)))}</span>
            </EntityButton>
            {units.length === 0 ? <p className="soft">{texts.say('incidents.noUnits')}</p> : <UnitChips units={units} />}
          </li>
        ))}
      </ul>
      {free.length > 0 && (
        <details>
          <summary>
            {texts.say('incidents.free')} <span className="count">{texts.number(free.length)}</span>
          </summary>
          <UnitChips units={free} />
        </details>
      )}
    </section>
  );
}

function incidentState({ fields }: TwinEntity, texts: Texts): string {
  return [textOf(fields['severity']), textOf(fields['status'])].filter((word) => word !== undefined).map((word) => texts.word('word', word)).join(' · ');
}

/** Units side by side, each a way to it. */
export function UnitChips({ units }: { readonly units: readonly TwinEntity[] }) {
  const texts = useTexts();
  return (
    <ul className="chips">
      {units.map((unit) => {
        const status = textOf(unit.fields['status']);
        return (
          <li key={unit.id}>
            <EntityButton entity={unit} className="chip">
              <EntityIcon entity={unit} size={16} />
              {ownIdOf(unit)}
              {status !== undefined && <span className="soft">{texts.word('word', status)}</span>}
            </EntityButton>
          </li>
        );
      })}
    </ul>
  );
}

/** A button that chooses an entity and goes there. */
export function EntityButton({ entity, className, children }: { readonly entity: TwinEntity; readonly className: string; readonly children: React.ReactNode }) {
  const { state } = usePage();
  const chosen = useSource(state.chosen);
  const choose = () => state.chosen.set({ id: entity.id, focus: true, goTo: positionOf(entity) ?? 'where it is' });
  return (
    <button type="button" className={className} aria-current={chosen?.id === entity.id || undefined} onClick={choose}>
      {children}
    </button>
  );
}

/** Says aloud which incidents are new since the page was opened. */
export function IncidentNews() {
  const texts = useTexts();
  const emergencies = useSource(usePage().city.emergencies);
  const known = useRef<Set<string>>(undefined);
  const [news, setNews] = useState('');
  useEffect(() => {
    if (!emergencies) return;
    const { open } = openIncidents(emergencies);
    const fresh = open.filter(({ incident }) => known.current && !known.current.has(incident.id));
    known.current = new Set(open.map(({ incident }) => incident.id));
    if (fresh.length === 0) return;
    setNews(fresh.map(({ incident }) => texts.say('incidents.new', { what: `${titleOf(incident, texts)}, ${incidentState(incident, texts)}` })).join('. '));
  }, [emergencies, texts]);
  return <output className="unseen">{news}</output>;
}
