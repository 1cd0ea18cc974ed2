import { useEffect, useMemo, useRef, useState } from 'react';
import { followInputs, type Raw } from '../api/cityLive.ts';
import { useTexts } from '../i18n/context.ts';
import { useSay } from '../i18n/live.ts';
import { RISK_LEVELS } from '../map/palette.ts';
import { usePalette } from '../page/context.ts';
import { Glyph } from '../panels/icons.tsx';
import { useSource } from '../twin/source.ts';
import { CityFacts } from './CityFacts.tsx';
import { useAddress, useLive } from './context.ts';
import { byRisk, type JudgedZone } from './describe.ts';
import { RiskMark } from './parts.tsx';
import { boxOf, featuresOf, outlinesOf } from './shapes.ts';
import { ZonePanel } from './ZonePanel.tsx';
import type { ZoneMap } from './zoneMap.ts';

/** The zones of the city: a list, a map by risk, and the panel of the one that is chosen. */
export function ZonesView() {
  const texts = useTexts();
  const say = useSay();
  const { live, address } = useLive();
  const { zone: open } = useAddress();
  const city = useSource(live.city);
  const zones = useSource(live.zones);
  const results = useSource(live.results);
  const judged = useMemo(() => byRisk(zones ?? [], results, texts.compare), [zones, results, texts]);
  const raw = useInputs(city?.cityId, open);
  // The keyboard goes along to the panel from the list, and not from the map.
  const [focus, setFocus] = useState(false);
  const chosen = judged.find(({ zone }) => zone.zoneId === open);

  const close = () => {
    address.set({ zone: undefined });
    if (focus) requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-zone="${CSS.escape(open ?? '')}"]`)?.focus());
  };

  return (
    <div className="zones-view" data-open={chosen !== undefined}>
      <section className="zone-list card" aria-labelledby="zone-list-title">
        <CityFacts raw={raw?.city} />
        <h2 id="zone-list-title">
          {say('zones.title')} <span className="count">{texts.number(zones?.length ?? 0)}</span>
        </h2>
        {city && zones?.length === 0 && <p className="soft">{say('zones.none')}</p>}
        {city && !zones && <p className="soft">{say('zones.loading')}</p>}
        <ul className="entries">
          {judged.map(({ zone, result }) => (
            <li key={zone.zoneId}>
              <button
                type="button"
                className="entry"
                data-zone={zone.zoneId}
                aria-current={zone.zoneId === open ? 'true' : undefined}
                onClick={() => {
                  setFocus(true);
                  address.set({ zone: zone.zoneId });
                }}
              >
                <span className="name">
                  {zone.name}
                  {result?.freshness.some(({ state }) => state === 'STALE') && <span className="soft old">{say('zones.oldData')}</span>}
                </span>
                <RiskMark result={result} />
              </button>
            </li>
          ))}
        </ul>
      </section>
      <RiskMap
        judged={judged}
        onChoose={(zoneId) => {
          setFocus(false);
          address.set({ zone: zoneId });
        }}
      />
      {chosen && city && <ZonePanel key={chosen.zone.zoneId} judged={chosen} city={city} raw={raw?.zone} focus={focus} close={close} />}
    </div>
  );
}

/** The latest values of the city and of the open zone, as they come. */
function useInputs(cityId: string | undefined, zoneId: string | undefined): { readonly city: Raw; readonly zone: Raw | undefined } | undefined {
  const [held, setHeld] = useState<{ readonly of: string; readonly city: Raw; readonly zone: Raw | undefined }>();
  const of = JSON.stringify([cityId, zoneId]);
  useEffect(() => {
    if (cityId === undefined) return undefined;
    return followInputs(cityId, zoneId, { next: (inputs) => setHeld({ of, ...inputs }) });
  }, [cityId, zoneId, of]);
  return held?.of === of ? held : undefined;
}

function RiskMap({ judged, onChoose }: { readonly judged: readonly JudgedZone[]; readonly onChoose: (zoneId: string | undefined) => void }) {
  const texts = useTexts();
  const say = useSay();
  const { live, preferences } = useLive();
  const { zone: open } = useAddress();
  const zones = useSource(live.zones);
  const theme = useSource(preferences.lit);
  const container = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<ZoneMap | 'cannot be'>();
  const [attribution, setAttribution] = useState<string>();
  const choose = useRef(onChoose);
  useEffect(() => {
    choose.current = onChoose;
  });

  useEffect(() => {
    const element = container.current;
    if (!element) return undefined;
    const label = say('zones.map');
    const opened = import('./zoneMap.ts').then(({ ZoneMap }) => ZoneMap.make({ container: element, label, theme: preferences.lit.get(), onChoose: (zoneId) => choose.current(zoneId) }));
    let isOpen = true;
    opened.then(
      (made) => {
        if (!isOpen) return;
        setMap(made);
        window.cityLive = made;
        made.layConfigured().then(setAttribution, (error: unknown) => console.warn('The map has no background:', error));
      },
      () => setMap('cannot be'),
    );
    return () => {
      isOpen = false;
      setMap(undefined);
      opened.then(
        (made) => made.remove(),
        () => {},
      );
    };
    // The map outlives a change of language.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [preferences]);

  const drawn = typeof map === 'object' ? map : undefined;
  const outlines = useMemo(() => outlinesOf(zones ?? []), [zones]);
  useEffect(() => drawn?.draw(featuresOf(judged, outlines, (score) => texts.number(score))), [drawn, judged, outlines, texts]);
  useEffect(() => drawn?.choose(open), [drawn, open]);
  useEffect(() => drawn?.setTheme(theme), [drawn, theme]);
  useEffect(() => drawn?.setLabel(say('zones.map')), [drawn, say]);
  const box = useMemo(() => boxOf(outlines.values()), [outlines]);
  useEffect(() => {
    if (box) drawn?.show(box, false);
  }, [drawn, box]);

  return (
    <div className="risk-map card">
      <div ref={container} className="ground" />
      {map === 'cannot be' && <p className="centre notice">{say('zones.noWebgl')}</p>}
      <div className="map-buttons card">
        <button type="button" className="icon" aria-label={texts.say('map.zoomIn')} onClick={() => drawn?.zoomBy(1)}>
          <Glyph name="plus" />
        </button>
        <button type="button" className="icon" aria-label={texts.say('map.zoomOut')} onClick={() => drawn?.zoomBy(-1)}>
          <Glyph name="minus" />
        </button>
        <button type="button" className="icon" aria-label={texts.say('map.whole')} onClick={() => box && drawn?.show(box, true)}>
          <Glyph name="whole" />
        </button>
      </div>
      <Legend attribution={attribution} />
    </div>
  );
}

function Legend({ attribution }: { readonly attribution: string | undefined }) {
  const say = useSay();
  const palette = usePalette();
  return (
    <div className="map-key card">
      <ul aria-label={say('risk.title')}>
        {RISK_LEVELS.map((level, step) => (
          <li key={level}>
            <span className="swatch" style={{ background: palette.risk[step] }} />
            {say(`risk.${level}`)}
          </li>
        ))}
        <li>
          <span className="swatch hatched" />
          {say('zones.old')}
        </li>
        <li>
          <span className="swatch" style={{ background: palette.quiet, opacity: 0.4 }} />
          {say('risk.NONE')}
        </li>
      </ul>
      {attribution !== undefined && <p className="soft small">{attribution}</p>}
    </div>
  );
}

declare global {
  interface Window {
    /** The map of the zones, for the browser's console and for tests. */
    cityLive?: ZoneMap;
  }
}
