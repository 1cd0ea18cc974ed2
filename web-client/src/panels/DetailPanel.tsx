import { lazy, Suspense, useCallback, useEffect, useReducer, useRef, useState } from 'react';
import type { Cell, TwinEntity } from '../api/index.ts';
import { useTexts } from '../i18n/context.ts';
import { usePage } from '../page/context.ts';
import { useNow } from '../page/hooks.ts';
import type { Chosen } from '../page/state.ts';
import { measureLabel, measuresOf, measureText, objectOf, ownIdOf, rowsOf, subtitleOf, textOf, titleOf, updatedAt } from '../twin/describe.ts';
import { cityWideId } from '../twin/kinds.ts';
import { useSource } from '../twin/source.ts';
import type { Watched } from '../twin/watch.ts';
import { Actions } from './Actions.tsx';
import { EntityIcon, Glyph } from './icons.tsx';
import { EntityButton, openIncidents, UnitChips } from './IncidentPanel.tsx';

const HistoryChart = lazy(async () => ({ default: (await import('./HistoryChart.tsx')).HistoryChart }));

/** What is chosen, with its values as they change. */
export function DetailPanel() {
  const { state } = usePage();
  const chosen = useSource(state.chosen);
  if (!chosen) return null;
  return chosen.id.startsWith('cell/') ? <CellDetail key={chosen.id} chosen={chosen} /> : <EntityDetail key={chosen.id} chosen={chosen} />;
}

/** The entity of an id as it is now; the component is drawn again whenever it changes. */
function useWatched(id: string): Watched {
  const { city } = usePage();
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const [watched, setWatched] = useState<Watched>({ state: 'asking', entity: undefined });
  useEffect(() => {
    const watch = city.watch(id);
    const take = () => {
      setWatched(watch.watched);
      // The entity stays the same object while its values change.
      redraw();
    };
    const stop = watch.subscribe(take);
    take();
    return () => {
      stop();
      watch.close();
    };
  }, [city, id]);
  return watched;
}

function EntityDetail({ chosen }: { readonly chosen: Chosen }) {
  const texts = useTexts();
  const { state, entity } = useWatched(chosen.id);
  if (!entity) {
    return (
      <Frame chosen={chosen} title={chosen.id} subtitle="">
        <p className="soft">{texts.say(state === 'gone' ? 'detail.gone' : 'detail.loading')}</p>
      </Frame>
    );
  }
  const rows = rowsOf(entity, texts);
  const chief = rows.find((row) => row.chief);
  return (
    <Frame chosen={chosen} title={titleOf(entity, texts)} subtitle={subtitleOf(entity, texts)} icon={<EntityIcon entity={entity} size={32} />}>
      {state === 'gone' && <p className="notice">{texts.say('detail.gone')}</p>}
      {chief && (
        <p className="chief">
          <span className="value">{chief.value}</span>
          <span className="soft">{chief.label}</span>
        </p>
      )}
      <Age entity={entity} />
      <History entity={entity} />
      <dl className="rows">
        {rows
          .filter((row) => row !== chief)
          .map(({ label, value }) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
      <Relations entity={entity} />
      <Actions entity={entity} />
    </Frame>
  );
}

interface FrameProps {
  readonly chosen: Chosen;
  readonly title: string;
  readonly subtitle: string;
  readonly icon?: React.ReactNode;
  readonly children: React.ReactNode;
}

function Frame({ chosen, title, subtitle, icon, children }: FrameProps) {
  const texts = useTexts();
  const { state } = usePage();
  const heading = useRef<HTMLHeadingElement>(null);
  // Where the keyboard was, so that it is there again when the panel is closed.
  const opener = useRef<Element>(null);
  useEffect(() => {
    if (!chosen.focus) return;
    opener.current = document.activeElement;
    heading.current?.focus({ preventScroll: true });
  }, [chosen]);
  const close = useCallback(() => {
    state.chosen.set(undefined);
    if (chosen.focus && opener.current instanceof HTMLElement) opener.current.focus();
  }, [state, chosen]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      // What is open on top of the page is closed first, by the browser itself.
      const isBusy = event.target instanceof HTMLInputElement || document.querySelector('dialog[open], :popover-open') !== null;
      if (event.key === 'Escape' && !isBusy) close();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [close]);
  return (
    <aside className="detail card" aria-label={texts.say('detail.title')}>
      <header>
        {icon}
        <div>
          <h2 ref={heading} tabIndex={-1}>
            {title}
          </h2>
          <p className="soft">{subtitle}</p>
        </div>
        <button type="button" className="icon" aria-label={texts.say('panel.close')} onClick={close}>
          <Glyph name="close" />
        </button>
      </header>
      <div className="scroll">{children}</div>
    </aside>
  );
}

function Age({ entity }: { readonly entity: TwinEntity }) {
  const texts = useTexts();
  const now = useNow();
  const at = updatedAt(entity);
  if (at === undefined) return null;
  return (
    <p className="age">
      {texts.say('detail.updated')} <time dateTime={new Date(at).toISOString()} title={texts.moment(at)}>{texts.age(Math.max(0, now - at))}</time>
    </p>
  );
}

function History({ entity }: { readonly entity: TwinEntity }) {
  const texts = useTexts();
  const { city } = usePage();
  const [chosen, setChosen] = useState(0);
  // What has not changed is drawn on to the present moment.
  useNow(2000);
  const measures = measuresOf(entity.kind);
  const measured = measures[chosen];
  if (!measured) return null;
  const series = city.history.of(entity.id);
  const values = series?.values[chosen] ?? [];
  const known = values.filter((value) => !Number.isNaN(value));
  const last = known.at(-1);
  const text = (value: number) => measureText(entity, measured, value, texts);
  return (
    <section className="history" aria-label={texts.say('detail.history')}>
      {measures.length > 1 && (
        <label>
          <span className="unseen">{texts.say('detail.measure')}</span>
          <select value={chosen} onChange={(event) => setChosen(Number(event.target.value))}>
            {measures.map((each, i) => (
              <option key={each.label} value={i}>
                {measureLabel(entity, each, texts)}
              </option>
            ))}
          </select>
        </label>
      )}
      {series && last !== undefined ? (
        <Suspense fallback={<div className="chart" />}>
          <HistoryChart
            times={series.times}
            values={values}
            since={series.since}
            label={texts.say('detail.chartLabel', { measure: measureLabel(entity, measured, texts), least: text(Math.min(...known)), most: text(Math.max(...known)), now: text(last) })}
            format={text}
          />
        </Suspense>
      ) : (
        <p className="soft">{texts.say('detail.historyNone')}</p>
      )}
      {series && <p className="soft small">{texts.say('detail.historySince', { time: texts.clock(series.since) })}</p>}
    </section>
  );
}

/** What belongs to an entity: a stop's buses, an incident's units, a unit's incident. */
function Relations({ entity }: { readonly entity: TwinEntity }) {
  const texts = useTexts();
  const { city } = usePage();
  const emergencies = useSource(city.emergencies);
  if (entity.kind === 'STATION') return <Arrivals entity={entity} />;
  if (entity.kind === 'INCIDENT') {
    const units = openIncidents(emergencies ?? []).open.find(({ incident }) => incident.id === entity.id)?.units ?? [];
    return (
      <section>
        <h3>{texts.say('detail.units')}</h3>
        {units.length === 0 ? <p className="soft">{texts.say('detail.noUnits')}</p> : <UnitChips units={units} />}
      </section>
    );
  }
  const assigned = entity.kind === 'UNIT' ? textOf(entity.fields['assignedIncident']) : undefined;
  const incident = assigned === undefined ? undefined : emergencies?.find(({ id }) => id === cityWideId('INCIDENT', assigned));
  if (!incident) return null;
  return (
    <section>
      <h3>{texts.say('detail.incident')}</h3>
      <EntityButton entity={incident} className="chip">
        <EntityIcon entity={incident} size={16} />
        {titleOf(incident, texts)} <span className="soft">{ownIdOf(incident)}</span>
      </EntityButton>
    </section>
  );
}

function Arrivals({ entity }: { readonly entity: TwinEntity }) {
  const texts = useTexts();
  const { state } = usePage();
  const arrivals = (Array.isArray(entity.fields['nextArrivals']) ? entity.fields['nextArrivals'] : []).map(objectOf).filter((arrival) => arrival !== undefined);
  return (
    <section>
      <h3>{texts.say('detail.arrivals')}</h3>
      {arrivals.length === 0 && <p className="soft">{texts.say('detail.noArrivals')}</p>}
      <ul className="entries">
        {arrivals.map((arrival, i) => {
          const bus = textOf(arrival['busId']);
          const expected = textOf(arrival['estimatedArrival']);
          const at = Date.parse(expected ?? '');
          return (
            // A list without ids of its own, replaced whole by each message.
            // oxlint-disable-next-line react/no-array-index-key
            <li key={i}>
              <button type="button" className="entry" disabled={bus === undefined} onClick={() => bus !== undefined && state.chosen.set({ id: cityWideId('BUS', bus), goTo: 'where it is', focus: true })}>
                <span className="name">
                  {textOf(arrival['routeId']) ?? '–'} <span className="soft">{bus}</span>
                </span>
                <span className="value">{Number.isNaN(at) ? expected : texts.clock(at)}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function CellDetail({ chosen }: { readonly chosen: Chosen }) {
  const texts = useTexts();
  const { city, map } = usePage();
  useSource(city.viewPulse);
  const cell: Cell | undefined = city.cells.get(chosen.id);
  return (
    <Frame chosen={chosen} title={texts.say('list.cell', { n: texts.number(cell?.count ?? 0) })} subtitle={texts.say('map.cells')}>
      <dl className="rows">
        {cell?.groups.map(({ kind, type, count, measure, mean }) => (
          <div key={`${kind} ${type}`}>
            <dt>{type === null ? texts.say(`kinds.${kind}`) : texts.word('type', type)}</dt>
            <dd>
              {texts.number(count)}
              {mean !== null && <span className="soft"> ⌀ {measure === 'occupancyRate' ? texts.percent(mean) : texts.number(mean, 1)}</span>}
            </dd>
          </div>
        ))}
      </dl>
      {cell && (
        <div className="actions">
          <button type="button" onClick={() => map.show(cell)}>
            <Glyph name="plus" size={16} />
            {texts.say('list.zoomIn')}
          </button>
        </div>
      )}
    </Frame>
  );
}

