import { lazy, Suspense, useEffect } from 'react';
import { TextsContext } from '../i18n/context.ts';
import { useSay } from '../i18n/live.ts';
import { ShellContext } from '../page/context.ts';
import { useAppearance } from '../page/hooks.ts';
import { Badge, ConnectionNotice } from '../panels/Badge.tsx';
import { Glyph, type GlyphName } from '../panels/icons.tsx';
import { Menu } from '../panels/Menu.tsx';
import { Source, useSource } from '../twin/source.ts';
import { LIVE_VIEWS, type LiveView } from '../url/liveAddress.ts';
import { CityChoice, ProcessButton } from './CityChoice.tsx';
import { LiveContext, type LivePage, useAddress, useLive } from './context.ts';
import { Notices } from './Notices.tsx';
import { ZonesView } from './ZonesView.tsx';

const VIEWS: Record<LiveView, React.ComponentType> = {
  zones: ZonesView,
  stream: lazy(async () => ({ default: (await import('./StreamView.tsx')).StreamView })),
  analytics: lazy(async () => ({ default: (await import('./AnalyticsView.tsx')).AnalyticsView })),
  models: lazy(async () => ({ default: (await import('./ModelsView.tsx')).ModelsView })),
  advice: lazy(async () => ({ default: (await import('./AdviceView.tsx')).AdviceView })),
};

const SIGNS: Record<LiveView, GlyphName> = { zones: 'map', stream: 'list', analytics: 'chart', models: 'models', advice: 'incidents' };

const NO_REFUSAL = new Source<string | undefined>(undefined);

/** All pages of City Live: what they share, and the one that is open. */
export function LiveApp({ page }: { readonly page: LivePage }) {
  const texts = useAppearance(page.preferences);
  const { live, address, operator } = page;
  const { city } = useSource(address);
  useEffect(() => address.follow(), [address]);
  useEffect(() => live.look(city), [live, city]);
  useEffect(() => void operator.ask(), [operator]);
  return (
    <ShellContext value={page}>
      <LiveContext value={page}>
        <TextsContext value={texts}>
          <Contents />
        </TextsContext>
      </LiveContext>
    </ShellContext>
  );
}

function Contents() {
  const say = useSay();
  const { live } = useLive();
  const { view } = useAddress();
  const city = useSource(live.city);
  const View = VIEWS[view];
  const name = city?.name;
  useEffect(() => {
    document.title = [say(`view.${view}`), name, 'City Live', 'citytwin'].filter(Boolean).join(' · ');
  }, [say, view, name]);
  return (
    <div className={`city-live view-${view}`}>
      <button type="button" className="skip" onClick={() => document.querySelector<HTMLElement>('#page')?.focus()}>
        {say('app.skip')}
      </button>
      <header className="live-head card">
        <div className="title">
          <a href="/" className="home" aria-label={say('app.toMap')} title={say('app.toMap')}>
            <img src="/favicon.svg" alt="" width={28} height={28} />
          </a>
          <h1>City Live</h1>
          <CityChoice />
          <ProcessButton />
          <Badge connection={live.connection} />
          <Menu />
        </div>
        <nav aria-label={say('app.pages')}>
          {LIVE_VIEWS.map((each) => (
            <Tab key={each} view={each} />
          ))}
          <a href="/">
            <Glyph name="layers" />
            {say('view.twin')}
          </a>
        </nav>
      </header>
      <main id="page" tabIndex={-1}>
        <div className="notices">
          <ConnectionNotice connection={live.connection} problem={NO_REFUSAL} />
          <Notices />
        </div>
        <Suspense fallback={<p className="soft">{say('app.opening')}</p>}>
          <View />
        </Suspense>
      </main>
    </div>
  );
}

function Tab({ view }: { readonly view: LiveView }) {
  const say = useSay();
  const { live, address } = useLive();
  const { view: open } = useAddress();
  const alerts = useSource(live.alerts);
  const count = view === 'advice' ? (alerts ?? []).filter(({ status }) => status === 'OPEN').length : 0;
  return (
    <a href={address.with({ view })} aria-current={open === view ? 'page' : undefined}>
      <span className="sign">
        <Glyph name={SIGNS[view]} />
        {count > 0 && <span className="dot">{count}</span>}
      </span>
      {say(`view.${view}`)}
    </a>
  );
}
