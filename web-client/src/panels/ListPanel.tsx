import { useMemo, useState } from 'react';
import type { Cell, TwinEntity } from '../api/index.ts';
import { useTexts } from '../i18n/context.ts';
import type { Texts } from '../i18n/texts.ts';
import { usePage } from '../page/context.ts';
import { briefOf, ownIdOf, textOf, titleOf } from '../twin/describe.ts';
import { type DrawnKind, LISTED_KINDS } from '../twin/kinds.ts';
import { useSource } from '../twin/source.ts';
import { EntityIcon } from './icons.tsx';
import { EntityButton } from './IncidentPanel.tsx';

// A list of thousands helps nobody, and costs as much as it is long.
const PAGE = 50;

/** All that the map shows as a list: what a mouse finds on the map, the keyboard and a screen reader find here. */
export function ListPanel() {
  const texts = useTexts();
  const { city } = usePage();
  const beat = useSource(city.viewPulse);
  const mode = useSource(city.mode);
  const [wanted, setWanted] = useState('');
  // The map of entities stays the same object while it changes: the beat says that it did.
  // oxlint-disable-next-line react/exhaustive-deps
  const groups = useMemo(() => grouped(city.entities.values(), wanted), [city, beat, wanted]);
  return (
    <section aria-labelledby="list-title">
      <h2 id="list-title">
        {texts.say('list.title')} <span className="count">{texts.number(city.entities.size)}</span>
      </h2>
      <input className="filter" type="text" value={wanted} placeholder={texts.say('list.filter')} aria-label={texts.say('list.filter')} onChange={(event) => setWanted(event.target.value)} />
      {mode === 'CELLS' && <CellList cells={[...city.cells.values()]} />}
      {groups.length === 0 && mode === 'ENTITIES' && <p className="soft">{texts.say(wanted === '' ? 'list.empty' : 'list.none')}</p>}
      {groups.map(([kind, entities]) => (
        <Group key={kind} kind={kind} entities={entities} open={wanted !== '' || kind === 'INCIDENT' || kind === 'BUS'} />
      ))}
    </section>
  );
}

/** The entities whose name, id or type holds the text, by kind. */
export function grouped(entities: Iterable<TwinEntity>, text: string): [DrawnKind, TwinEntity[]][] {
  const wanted = text.trim().toLowerCase();
  const groups = new Map<string, TwinEntity[]>();
  for (const entity of entities) {
    if (wanted !== '' && !matches(entity, wanted)) continue;
    const group = groups.get(entity.kind);
    if (group) group.push(entity);
    else groups.set(entity.kind, [entity]);
  }
  return LISTED_KINDS.flatMap((kind): [DrawnKind, TwinEntity[]][] => {
    const group = groups.get(kind);
    return group ? [[kind, group]] : [];
  });
}

function matches(entity: TwinEntity, wanted: string): boolean {
  const { fields } = entity;
  return [ownIdOf(entity), textOf(fields['name']), textOf(fields['type'])].some((word) => word?.toLowerCase().includes(wanted));
}

function Group({ kind, entities, open }: { readonly kind: DrawnKind; readonly entities: readonly TwinEntity[]; readonly open: boolean }) {
  const texts = useTexts();
  const [toggled, setToggled] = useState<boolean>();
  const [shown, setShown] = useState(PAGE);
  const isOpen = toggled ?? open;
  return (
    <details open={isOpen} onToggle={(event) => setToggled(event.currentTarget.open)}>
      <summary>
        {texts.say(`kinds.${kind}`)} <span className="count">{texts.number(entities.length)}</span>
      </summary>
      {isOpen && <Entries entities={entities} shown={shown} />}
      {isOpen && entities.length > shown && (
        <button type="button" className="more" onClick={() => setShown(shown + PAGE)}>
          {texts.say('list.more', { n: Math.min(PAGE, entities.length - shown) })}
        </button>
      )}
    </details>
  );
}

function Entries({ entities, shown }: { readonly entities: readonly TwinEntity[]; readonly shown: number }) {
  const texts = useTexts();
  return (
    <ul className="entries">
      {ordered(entities, texts).slice(0, shown).map(({ entity, title, own }) => (
        <li key={entity.id}>
          <EntityButton entity={entity} className="entry">
            <EntityIcon entity={entity} size={18} />
            <span className="name">
              {title}
              {title !== own && <span className="soft"> {own}</span>}
            </span>
            <span className="value">{briefOf(entity, texts)}</span>
          </EntityButton>
        </li>
      ))}
    </ul>
  );
}

// As people order names, where there are few; by their letters' codes, which is fifty times as fast, where there are many.
const FEW = 1000;

function ordered(entities: readonly TwinEntity[], texts: Texts) {
  const named = entities.map((entity) => ({ entity, title: titleOf(entity, texts), own: ownIdOf(entity) }));
  const compare = named.length <= FEW ? texts.compare : (a: string, b: string) => Number(a > b) - Number(a < b);
  return named.toSorted((a, b) => compare(a.title, b.title) || compare(a.own, b.own));
}

function CellList({ cells }: { readonly cells: readonly Cell[] }) {
  const texts = useTexts();
  const { map } = usePage();
  const [shown, setShown] = useState(PAGE);
  const fullest = cells.toSorted((a, b) => b.count - a.count || (a.id < b.id ? -1 : 1));
  return (
    <details open>
      <summary>
        {texts.say('list.cells')} <span className="count">{texts.number(cells.length)}</span>
      </summary>
      <ul className="entries">
        {fullest.slice(0, shown).map((cell) => (
          <li key={cell.id}>
            <button type="button" className="entry" onClick={() => map.show(cell)}>
              <span className="name">
                {texts.say('list.cell', { n: texts.number(cell.count) })}
                <span className="soft"> {cell.groups.slice(0, 3).map(({ kind, count }) => `${texts.say(`kinds.${kind}`)} ${texts.number(count)}`).join(', ')}</span>
              </span>
              <span className="value">{texts.say('list.zoomIn')}</span>
            </button>
          </li>
        ))}
      </ul>
      {fullest.length > shown && (
        <button type="button" className="more" onClick={() => setShown(shown + PAGE)}>
          {texts.say('list.more', { n: Math.min(PAGE, fullest.length - shown) })}
        </button>
      )}
    </details>
  );
}
