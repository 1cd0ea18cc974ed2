import { useEffect, useRef, useState } from 'react';
import { useTexts } from '../i18n/context.ts';
import { usePage } from '../page/context.ts';
import { briefOf, titleOf } from '../twin/describe.ts';
import { useSource } from '../twin/source.ts';
import { firstLook } from './look.ts';
import type { Target } from './twinMap.ts';

const loadSession = () => import('./session.ts');

interface Hovered {
  readonly target: Target;
  readonly x: number;
  readonly y: number;
}

/** The map, from when it is known where the city is, and what belongs to it. */
export function MapView({ children }: { readonly children: React.ReactNode }) {
  const texts = useTexts();
  const page = usePage();
  const container = useRef<HTMLDivElement>(null);
  const [drawn, setDrawn] = useState<'not yet' | 'yes' | 'cannot be'>('not yet');
  const [hovered, setHovered] = useState<Hovered>();
  const districts = useSource(page.city.districts);
  const view = useSource(page.state.view);
  const isPlaced = view !== undefined || districts !== undefined;

  // On its way while it is not yet known where the city is.
  useEffect(() => void loadSession().catch(() => {}), []);

  useEffect(() => {
    const element = container.current;
    if (!isPlaced || !element) return undefined;
    const begin = firstLook(page, element);
    const opened = loadSession().then(({ openMap }) => openMap(element, page, begin, (target, at) => setHovered(target && { target, ...at })));
    opened.then(
      () => setDrawn('yes'),
      () => setDrawn('cannot be'),
    );
    return () => {
      opened.then(
        (close) => close(),
        () => {},
      );
    };
  }, [page, isPlaced]);

  return (
    <main className="map" aria-label={texts.say('app.map')}>
      <div ref={container} className="ground" />
      {drawn === 'cannot be' && <p className="notice card centre">{texts.say('app.noWebgl')}</p>}
      {drawn === 'not yet' && <output className="centre soft">{texts.say('map.loading')}</output>}
      {hovered && <Tip {...hovered} />}
      {children}
    </main>
  );
}

/** What the pointer is on, in a few words. Only for the eye: the lists say it to all. */
function Tip({ target, x, y }: Hovered) {
  const texts = useTexts();
  const { city } = usePage();
  if (!target) return null;
  const entity = 'entity' in target ? city.entities.get(target.entity) : undefined;
  const cell = 'cell' in target ? city.cells.get(target.cell) : undefined;
  if (!entity && !cell) return null;
  return (
    <div className="tip" aria-hidden="true" style={{ left: x, top: y }}>
      {entity && (
        <>
          <strong>{titleOf(entity, texts)}</strong> <span>{briefOf(entity, texts)}</span>
        </>
      )}
      {cell && <strong>{texts.say('list.cell', { n: texts.number(cell.count) })}</strong>}
    </div>
  );
}
