import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { type Found, search } from '../api/index.ts';
import { useTexts } from '../i18n/context.ts';
import { usePage } from '../page/context.ts';
import { Glyph, LookIcon, RoadIcon } from './icons.tsx';
import { lookOf } from '../map/sprites.ts';
import type { PointKind } from '../twin/kinds.ts';

// A person types a letter each 100 to 200 ms; the server is asked when they pause.
const PAUSE_MS = 180;
const MOST_RESULTS = 12;
// A street is many roads of one name, of which one is enough: so more are asked for than shown.
const ASKED = 100;

type Results = { readonly found: readonly Found[]; readonly problem?: string };

/** Finds entities by id or name and goes there: a combobox as the ARIA authoring practices describe it. */
export function SearchBox() {
  const texts = useTexts();
  const { state } = usePage();
  const [text, setText] = useState('');
  const [results, setResults] = useState<Results>();
  const [active, setActive] = useState(-1);
  const [open, setOpen] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const listId = useId();

  useEffect(() => {
    const wanted = text.trim();
    if (wanted === '') return undefined;
    const stop = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const found = await search(wanted, { first: ASKED, signal: stop.signal });
        if (!stop.signal.aborted) setResults({ found: oneOfEachStreet(found).slice(0, MOST_RESULTS) });
      } catch (error) {
        if (!stop.signal.aborted) setResults({ found: [], problem: error instanceof Error ? error.message : String(error) });
      }
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [text]);

  const change = (next: string) => {
    setText(next);
    setActive(-1);
    if (next.trim() === '') setResults(undefined);
  };

  const choose = (found: Found) => {
    setOpen(false);
    change('');
    input.current?.blur();
    const { position } = found;
    state.chosen.set({ id: found.id, focus: true, goTo: position ? [position.longitude, position.latitude] : 'where it is' });
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const found = results?.found ?? [];
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      if (found.length === 0) return;
      event.preventDefault();
      setOpen(true);
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setActive((now) => (now < 0 && step < 0 ? found.length - 1 : (now + step + found.length) % found.length));
    } else if (event.key === 'Enter') {
      const wanted = found[Math.max(0, active)];
      if (wanted) choose(wanted);
    } else if (event.key === 'Escape') {
      if (open) setOpen(false);
      else change('');
    }
  };

  const shown = open && results !== undefined;
  return (
    <search className="search">
      <Glyph name="search" size={18} />
      <input
        ref={input}
        type="text"
        role="combobox"
        value={text}
        placeholder={texts.say('search.placeholder')}
        aria-label={texts.say('search.label')}
        aria-expanded={shown}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={active < 0 ? undefined : `${listId}-${active}`}
        autoComplete="off"
        spellCheck={false}
        enterKeyHint="search"
        onChange={(event) => {
          change(event.target.value);
          setOpen(true);
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
      />
      <output className="unseen">{shown ? texts.say('search.results', { n: results.found.length }) : ''}</output>
      {shown && (
        <div className="results">
          {results.problem !== undefined && <p>{texts.say('search.failed', { reason: results.problem })}</p>}
          {results.problem === undefined && results.found.length === 0 && <p>{texts.say('search.none')}</p>}
          {/* A select cannot hold what a search finds while one types: hence the roles. */}
          {/* oxlint-disable-next-line jsx-a11y/prefer-tag-over-role */}
          <div id={listId} role="listbox" aria-label={texts.say('search.label')}>
            {results.found.map((found, i) => (
              <div
                key={found.id}
                id={`${listId}-${i}`}
                // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role
                role="option"
                tabIndex={-1}
                aria-selected={i === active}
                // Before the blur that would close the list.
                onPointerDown={(event) => {
                  event.preventDefault();
                  choose(found);
                }}
              >
                <FoundIcon found={found} />
                <span className="name">{found.name ?? found.ownId}</span>
                <span className="what">{texts.say(`kind.${found.kind}`)}{found.name === null ? '' : ` · ${found.ownId}`}</span>
              </div>
            ))}
          </div>
        </div>
      )}
    </search>
  );
}

/** Without the roads whose street is there already. */
export function oneOfEachStreet(found: readonly Found[]): Found[] {
  const streets = new Set<string>();
  return found.filter(({ kind, name, ownId }) => {
    if (kind !== 'EDGE') return true;
    const street = name ?? ownId;
    if (streets.has(street)) return false;
    streets.add(street);
    return true;
  });
}

function FoundIcon({ found: { kind, type } }: { readonly found: Found }) {
  if (kind === 'EDGE') return <RoadIcon level={undefined} />;
  if (kind === 'DISTRICT') return <Glyph name="districts" />;
  return <LookIcon name={lookOf(kind as PointKind, { type, occupancyRate: 0, severity: 'high' })} />;
}
