import { type RefObject, useEffect, useRef, useState } from 'react';
import { fetchReadiness, type Readiness } from '../api/index.ts';
import { useTexts } from '../i18n/context.ts';
import { type Language, LANGUAGES } from '../i18n/texts.ts';
import { useShell } from '../page/context.ts';
import { useSource } from '../twin/source.ts';
import { Glyph } from './icons.tsx';
import { SignIn } from './SignIn.tsx';

const WAYS = [
  ['/graphiql', 'menu.graphiql'],
  ['/schema.graphql', 'menu.schema'],
  ['/api/state', 'menu.state'],
  ['/metrics', 'menu.metrics'],
] as const;

const THEMES = ['system', 'light', 'dark'] as const;

const READINESS_INTERVAL_MS = 3000;

/** How the page looks and speaks, the ways into the server, how the server is, and the sign-in. */
export function Menu() {
  const texts = useTexts();
  const popover = useRef<HTMLDivElement>(null);
  const signIn = useRef<HTMLDialogElement>(null);
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="icon" popoverTarget="menu" aria-label={texts.say('menu.open')} aria-expanded={open}>
        <Glyph name="menu" />
      </button>
      <div ref={popover} id="menu" popover="auto" className="menu card" onToggle={(event) => setOpen(event.newState === 'open')}>
        {open && <Entries signIn={signIn} close={() => popover.current?.hidePopover()} />}
      </div>
      <SignIn dialog={signIn} />
    </>
  );
}

function Entries({ signIn, close }: { readonly signIn: RefObject<HTMLDialogElement | null>; readonly close: () => void }) {
  const texts = useTexts();
  const { preferences, operator } = useShell();
  const theme = useSource(preferences.theme);
  const token = useSource(operator.token);
  return (
    <>
      <fieldset>
        <legend>{texts.say('menu.theme')}</legend>
        {THEMES.map((each) => (
          <label key={each}>
            <input type="radio" name="theme" checked={theme === each} onChange={() => preferences.theme.set(each)} />
            <span>{texts.say(`menu.theme.${each}`)}</span>
          </label>
        ))}
      </fieldset>
      <label className="language">
        <span>{texts.say('menu.language')}</span>
        <select value={texts.language} onChange={(event) => preferences.language.set(event.target.value as Language)}>
          {Object.entries(LANGUAGES).map(([language, name]) => (
            <option key={language} value={language} lang={language}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <h2>{texts.say('menu.ways')}</h2>
      <ul>
        {WAYS.map(([href, label]) => (
          <li key={href}>
            <a href={href}>{texts.say(label)}</a>
          </li>
        ))}
      </ul>
      <h2>{texts.say('menu.server')}</h2>
      <Server />
      {token === undefined ? (
        <button
          type="button"
          onClick={() => {
            close();
            signIn.current?.showModal();
          }}
        >
          {texts.say('menu.signIn')}
        </button>
      ) : (
        <button type="button" onClick={() => operator.signOut()}>
          {texts.say('menu.signOut')}
        </button>
      )}
    </>
  );
}

/** What `/readyz` says, asked again while the menu is open. */
function Server() {
  const texts = useTexts();
  const [readiness, setReadiness] = useState<Readiness>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      try {
        const answer = await fetchReadiness(AbortSignal.any([stop.signal, AbortSignal.timeout(10_000)]));
        setReadiness(answer);
        setProblem(undefined);
      } catch (error) {
        if (stop.signal.aborted) return;
        setProblem(error instanceof Error ? error.message : String(error));
      }
      if (!stop.signal.aborted) timer = setTimeout(ask, READINESS_INTERVAL_MS);
    };
    void ask();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, []);
  if (problem !== undefined) return <p>{texts.say('menu.server.unreachable', { reason: problem })}</p>;
  if (!readiness) return <p>{texts.say('menu.server.asking')}</p>;
  return (
    <>
      <p>{texts.say(readiness.ready ? `menu.server.${readiness.role}` : 'menu.server.starting')}</p>
      {readiness.degraded.map(({ what, state, since, message }) => (
        <p key={what} className="notice">
          {texts.say('menu.server.trouble', { what, state, time: texts.clock(Date.parse(since)), message })}
        </p>
      ))}
    </>
  );
}
