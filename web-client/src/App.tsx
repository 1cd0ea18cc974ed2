import { useEffect, useMemo, useState } from 'react';
import { flushSync } from 'react-dom';
import { fetchCity } from './api/index.ts';
import { TextsContext, useTexts } from './i18n/context.ts';
import { MapView } from './map/MapView.tsx';
import { type Page, PageContext, ShellContext, usePage } from './page/context.ts';
import { useAppearance } from './page/hooks.ts';
import { Badge, ConnectionNotice } from './panels/Badge.tsx';
import { DetailPanel } from './panels/DetailPanel.tsx';
import { DistrictPanel } from './panels/DistrictPanel.tsx';
import { Glyph, type GlyphName } from './panels/icons.tsx';
import { IncidentNews, IncidentPanel, openIncidents } from './panels/IncidentPanel.tsx';
import { LayerPanel } from './panels/LayerPanel.tsx';
import { ListPanel } from './panels/ListPanel.tsx';
import { MapButtons, MapKey } from './panels/MapChrome.tsx';
import { Menu } from './panels/Menu.tsx';
import { SearchBox } from './panels/SearchBox.tsx';
import { useSource } from './twin/source.ts';
import { type Panel, PANELS } from './url/address.ts';

const CONTENTS: Record<Panel, React.ReactNode> = {
  incidents: <IncidentPanel />,
  districts: <DistrictPanel />,
  list: <ListPanel />,
  layers: <LayerPanel />,
};

/** The whole page: a map over all of it, and what stands on it. */
export function App({ page }: { readonly page: Page }) {
  const { state, preferences } = page;
  const texts = useAppearance(preferences);

  useEffect(() => state.followAddress(), [state]);
  useKept(page);

  return (
    <PageContext value={page}>
      <ShellContext value={page}>
        <TextsContext value={texts}>
          <SkipLink />
          <div className="side">
            <Header />
            <OpenPanel />
          </div>
          <DetailPanel />
          <MapView>
            <MapButtons />
            <MapKey />
            <EmptyCity />
          </MapView>
          <IncidentNews />
        </TextsContext>
      </ShellContext>
    </PageContext>
  );
}

/** Follows what a person wants recorded, in view or not. */
function useKept({ city, state }: Page): void {
  const kept = useSource(state.kept);
  useEffect(() => {
    const watches = kept.map((id) => city.watch(id));
    return () => {
      for (const watch of watches) watch.close();
    };
  }, [city, kept]);
}

function SkipLink() {
  const texts = useTexts();
  const { state } = usePage();
  const skip = () => {
    flushSync(() => state.panel.set('list'));
    document.querySelector<HTMLElement>('#panel')?.focus();
  };
  return (
    <button type="button" className="skip" onClick={skip}>
      {texts.say('app.skipToList')}
    </button>
  );
}

function Header() {
  const texts = useTexts();
  const name = useCityName();
  const { city } = usePage();
  return (
    <header className="masthead card">
      <div className="title">
        <img src="/favicon.svg" alt="" width={28} height={28} />
        <h1>{name ?? 'citytwin'}</h1>
        <Badge connection={city.connection} />
        <Menu />
      </div>
      <SearchBox />
      <nav aria-label={texts.say('tab.label')}>
        {PANELS.map((panel) => (
          <Tab key={panel} panel={panel} />
        ))}
        <a href="/city-live">
          <Glyph name="cityLive" />
          {texts.say('tab.cityLive')}
        </a>
      </nav>
      <ConnectionNotice connection={city.connection} problem={city.problem} />
    </header>
  );
}

function Tab({ panel }: { readonly panel: Panel }) {
  const texts = useTexts();
  const { city, state } = usePage();
  const open = useSource(state.panel) === panel;
  const emergencies = useSource(city.emergencies);
  const count = useMemo(() => (panel === 'incidents' ? openIncidents(emergencies ?? []).open.length : 0), [panel, emergencies]);
  return (
    <button type="button" aria-expanded={open} aria-controls="panel" onClick={() => state.togglePanel(panel)}>
      <span className="sign">
        <Glyph name={panel satisfies GlyphName} />
        {count > 0 && <span className="dot">{texts.number(count)}</span>}
      </span>
      {texts.say(`tab.${panel}`)}
    </button>
  );
}

function OpenPanel() {
  const { state } = usePage();
  const panel = useSource(state.panel);
  return (
    <div id="panel" className="panel card" tabIndex={-1} hidden={panel === undefined}>
      {panel && CONTENTS[panel]}
    </div>
  );
}

function EmptyCity() {
  const texts = useTexts();
  const { city } = usePage();
  useSource(city.viewPulse);
  const { state } = useSource(city.connection);
  const districts = useSource(city.districts);
  const emergencies = useSource(city.emergencies);
  const isEmpty = state === 'live' && districts?.length === 0 && emergencies?.length === 0 && city.entities.size === 0 && city.cells.size === 0;
  return isEmpty ? <p className="centre card">{texts.say('map.empty')}</p> : null;
}

/** What the city is called; asked again until the server has answered. */
function useCityName(): string | undefined {
  const { city } = usePage();
  const { state } = useSource(city.connection);
  const [name, setName] = useState<string>();
  const connected = state === 'live';
  useEffect(() => {
    if (!connected) return undefined;
    const stop = new AbortController();
    fetchCity({ signal: stop.signal }).then(
      (found) => {
        setName(found.name);
        document.title = `${found.name} · citytwin`;
      },
      // The next connection asks again.
      () => {},
    );
    return () => stop.abort();
  }, [connected]);
  return name;
}
