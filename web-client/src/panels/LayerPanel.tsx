import { useMemo } from 'react';
import { useTexts } from '../i18n/context.ts';
import type { Texts } from '../i18n/texts.ts';
import { CONGESTION_LEVELS } from '../map/palette.ts';
import { SENSOR_SIGNS } from '../map/shapes.ts';
import { usePage } from '../page/context.ts';
import { type DrawnKind, LISTED_KINDS } from '../twin/kinds.ts';
import { useSource } from '../twin/source.ts';
import { LookIcon, RoadIcon } from './icons.tsx';

const ICONS: Record<Exclude<DrawnKind, 'EDGE'>, string> = {
  INCIDENT: 'INCIDENT/critical',
  UNIT: 'UNIT/ambulance/available',
  BUS: 'BUS/in_service',
  STATION: 'STATION',
  SENSOR: 'SENSOR/other',
  WEATHER_STATION: 'WEATHER_STATION',
  BUILDING: 'BUILDING/2',
  NODE: 'NODE',
};

/** One icon of the legend and what it means. */
interface Meaning {
  readonly icon: React.ReactNode;
  readonly text: string;
}

const look = (name: string, text: string): Meaning => ({ icon: <LookIcon name={name} size={16} />, text });

/** What the looks of a kind mean; empty where there is only one. */
function meaningsOf(kind: DrawnKind, texts: Texts): Meaning[] {
  const word = (each: string) => texts.word('word', each);
  switch (kind) {
    case 'EDGE':
      return [...CONGESTION_LEVELS, 'unknown'].map((level) => ({ icon: <RoadIcon level={level} size={16} />, text: texts.word('congestion', level) }));
    case 'INCIDENT':
      return ['critical', 'high', 'medium', 'low'].map((severity) => look(`INCIDENT/${severity}`, word(severity))).concat(look('INCIDENT/resolved', word('resolved')));
    case 'UNIT':
      return [
        ...['available', 'dispatched', 'on_scene'].map((status) => look(`UNIT/other/${status}`, word(status))),
        ...['ambulance', 'fire_truck', 'police'].map((type) => look(`UNIT/${type}/available`, texts.word('type', type))),
      ];
    case 'BUS':
      return ['in_service', 'maintenance', 'out_of_service'].map((status) => look(`BUS/${status}`, word(status)));
    case 'SENSOR':
      return [...Object.keys(SENSOR_SIGNS).map((type) => look(`SENSOR/${type}`, texts.word('type', type))), look('SENSOR/other/quiet', texts.say('legend.quiet'))];
    case 'BUILDING':
      return [0, 1, 2, 3].map((step) => look(`BUILDING/${step}`, `≤ ${texts.percent((step + 1) / 4)}`)).concat(look('BUILDING/4', `> ${texts.percent(1)}`));
    default:
      return [];
  }
}

/** The layers, on and off, and what their colours and shapes mean. */
export function LayerPanel() {
  const texts = useTexts();
  const { city, state } = usePage();
  const layers = useSource(state.layers);
  const beat = useSource(city.viewPulse);
  const mode = useSource(city.mode);
  const counts = useMemo(() => {
    const found = new Map<string, number>();
    const add = (kind: string, count: number) => found.set(kind, (found.get(kind) ?? 0) + count);
    for (const { kind } of city.entities.values()) add(kind, 1);
    for (const { groups } of city.cells.values()) for (const { kind, count } of groups) add(kind, count);
    return found;
    // The map of entities stays the same object while it changes: the beat says that it did.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [city, beat]);
  return (
    <section aria-labelledby="layers-title">
      <h2 id="layers-title">{texts.say('layers.title')}</h2>
      {mode === 'CELLS' && <p className="soft">{texts.say('legend.cells')}</p>}
      <ul className="layers">
        {LISTED_KINDS.map((kind) => {
          const on = layers.includes(kind);
          return (
            <li key={kind} className={on ? '' : 'off'}>
              <label>
                <input type="checkbox" checked={on} onChange={() => state.toggleLayer(kind)} />
                {kind === 'EDGE' ? <RoadIcon level="low" size={22} /> : <LookIcon name={ICONS[kind]} size={22} />}
                <span className="name">{texts.say(`kinds.${kind}`)}</span>
                <span className="value">{on ? texts.say('layers.inView', { n: texts.number(counts.get(kind) ?? 0) }) : texts.say('layers.off')}</span>
              </label>
              {on && <Legend meanings={meaningsOf(kind, texts)} />}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Legend({ meanings }: { readonly meanings: readonly Meaning[] }) {
  if (meanings.length === 0) return null;
  return (
    <ul className="legend">
      {meanings.map(({ icon, text }) => (
        <li key={text}>
          {icon}
          {text}
        </li>
      ))}
    </ul>
  );
}
