import { useRef, useState } from 'react';
import { processCity, selectCity } from '../api/cityLive.ts';
import { useTexts } from '../i18n/context.ts';
import { useSay } from '../i18n/live.ts';
import { Glyph } from '../panels/icons.tsx';
import { SignIn } from '../panels/SignIn.tsx';
import { useSource } from '../twin/source.ts';
import { problemText } from './answer.ts';
import { useLive } from './context.ts';

/** Something that only an operator may do, and how it went. */
export function useDeed(): { readonly busy: boolean; readonly problem: string | undefined; act(deed: (token: string | null) => Promise<void>): Promise<boolean>; forget(): void } {
  const say = useSay();
  const { operator } = useLive();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const act = async (deed: (token: string | null) => Promise<void>) => {
    setBusy(true);
    setProblem(undefined);
    try {
      await deed(operator.token.get() ?? null);
      return true;
    } catch (error) {
      setProblem(problemText(error as Error, say));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, act, forget: () => setProblem(undefined) };
}

/** Which city is looked at, and the way to another one. */
export function CityChoice() {
  const say = useSay();
  const { live, operator } = useLive();
  const popover = useRef<HTMLDivElement>(null);
  const signIn = useRef<HTMLDialogElement>(null);
  const [open, setOpen] = useState(false);
  const city = useSource(live.city);
  const allowed = useSource(operator.allowed);
  const close = () => popover.current?.hidePopover();
  return (
    <>
      <button type="button" className="city-choice" popoverTarget="cities" aria-expanded={open}>
        <span className="unseen">{say('city.label')}</span>
        {city?.name ?? say('city.choose')}
        <Glyph name="chevron" size={14} />
      </button>
      <div
        ref={popover}
        id="cities"
        popover="auto"
        className="menu cities card"
        onToggle={(event) => {
          setOpen(event.newState === 'open');
          if (event.newState === 'open') void live.listCities();
        }}
      >
        {open && <Cities close={close} />}
        {open && allowed !== true && (
          <>
            <p className="soft small">{say('city.viewOnly')}</p>
            <div className="actions">
              <button
                type="button"
                onClick={() => {
                  close();
                  signIn.current?.showModal();
                }}
              >
                {say('city.signIn')}
              </button>
            </div>
          </>
        )}
      </div>
      <SignIn dialog={signIn} id="city-sign-title" />
    </>
  );
}

function Cities({ close }: { readonly close: () => void }) {
  const say = useSay();
  const texts = useTexts();
  const { live, operator, address } = useLive();
  const cities = useSource(live.cities);
  const shown = useSource(live.city);
  const allowed = useSource(operator.allowed);
  const { busy, problem, act } = useDeed();

  const choose = async (cityId: string, isChosen: boolean) => {
    if (allowed === true && !isChosen) {
      const done = await act((token) => selectCity(cityId, { token }));
      if (!done) return;
      address.set({ city: undefined, zone: undefined, compared: undefined });
    } else {
      address.set({ city: isChosen ? undefined : cityId, zone: undefined, compared: undefined });
    }
    close();
  };

  return (
    <>
      <h2>{say(allowed === true ? 'city.forAll' : 'city.forYou')}</h2>
      {cities?.length === 0 && <p>{say('city.none')}</p>}
      <ul className="entries">
        {cities?.map(({ cityId, name, chosen, zoneCount }) => (
          <li key={cityId}>
            <button type="button" className="entry" disabled={busy} aria-current={shown?.cityId === cityId ? 'true' : undefined} onClick={() => void choose(cityId, chosen)}>
              <span className="name">{name}</span>
              <span className="value">{say(chosen ? 'city.zonesChosen' : 'city.zones', { n: texts.number(zoneCount) })}</span>
            </button>
          </li>
        ))}
      </ul>
      {problem !== undefined && <p className="notice offline">{problem}</p>}
    </>
  );
}

/** Makes results of what is stored now; there for those who may. */
export function ProcessButton() {
  const say = useSay();
  const texts = useTexts();
  const { live, operator } = useLive();
  const city = useSource(live.city);
  const allowed = useSource(operator.allowed);
  const [done, setDone] = useState<number>();
  const { busy, problem, act } = useDeed();
  if (!city || allowed !== true) return null;
  const process = async () => {
    setDone(undefined);
    await act(async (token) => setDone(await processCity(city.cityId, { token })));
  };
  return (
    <div className="process actions">
      <button type="button" disabled={busy} title={say('process.hint')} onClick={() => void process()}>
        <Glyph name="process" size={16} />
        <span className="label">{say(busy ? 'process.busy' : 'process.do')}</span>
      </button>
      <output className={problem === undefined ? 'soft small' : 'problem small'}>{problem ?? (done === undefined ? '' : say('process.done', { n: texts.number(done) }))}</output>
    </div>
  );
}
