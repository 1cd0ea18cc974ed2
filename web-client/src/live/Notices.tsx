import { selectCity } from '../api/cityLive.ts';
import { useTexts } from '../i18n/context.ts';
import { useSay } from '../i18n/live.ts';
import { useNow } from '../page/hooks.ts';
import { useSource } from '../twin/source.ts';
import { problemText } from './answer.ts';
import { useDeed } from './CityChoice.tsx';
import { useLive } from './context.ts';
import { troublesOf } from './describe.ts';

/** What one has to know of all that the page shows: that it is loading, old, made up, or not whole. */
export function Notices() {
  const say = useSay();
  const { live } = useLive();
  const city = useSource(live.city);
  const cities = useSource(live.cities);
  const problem = useSource(live.problem);
  const results = useSource(live.results);
  const isUnchosen = !city && cities?.length !== 0 && cities?.every(({ chosen }) => !chosen);
  const simulated = [...(results?.values() ?? [])].some((result) => result.simulated);
  return (
    <>
      {problem && <p className="notice offline">{problemText(problem, say)}</p>}
      {/* Always there, so that a screen reader hears when it is filled. */}
      <output className={city?.status === 'LOADING' ? 'notice loading' : 'unseen'}>{city?.status === 'LOADING' ? say('state.loading') : ''}</output>
      {!problem && cities?.length === 0 && <p className="notice">{say('city.none')}</p>}
      {!problem && isUnchosen && <p className="notice">{say('city.unchosen')}</p>}
      {city && !city.chosen && <NotChosen />}
      {city?.status === 'STALE' && <Old />}
      <Parts />
      {simulated && <p className="notice simulated">{say('state.simulated')}</p>}
    </>
  );
}

function Old() {
  const say = useSay();
  const texts = useTexts();
  const processedAt = useSource(useLive().live.city)?.processedAt ?? null;
  const now = useNow(10_000);
  const age = processedAt === null ? '' : texts.age(Math.max(0, now - Date.parse(processedAt)));
  return <p className="notice">{processedAt === null ? say('state.staleNever') : say('state.stale', { age })}</p>;
}

/** Inputs that are missing or old, each with how many zones lack them. */
function Parts() {
  const say = useSay();
  const texts = useTexts();
  const { live } = useLive();
  const results = useSource(live.results);
  const troubles = troublesOf(results?.values() ?? []);
  if (!results || troubles.length === 0) return null;
  const all = texts.number(results.size);
  const list = (kind: 'missing' | 'stale') =>
    troubles.filter((trouble) => trouble[kind] > 0).map((trouble) => say('state.partOf', { what: say.word('input', trouble.input), n: texts.number(trouble[kind]), all }));
  const [missing, stale] = [list('missing'), list('stale')];
  return (
    <>
      {missing.length > 0 && <p className="notice">{say('state.missing', { list: missing.join(', ') })}</p>}
      {stale.length > 0 && <p className="notice">{say('state.oldInputs', { list: stale.join(', ') })}</p>}
    </>
  );
}

/** The city that is shown is not the one that data is gathered for. */
function NotChosen() {
  const say = useSay();
  const { live, operator, address } = useLive();
  const city = useSource(live.city);
  const allowed = useSource(operator.allowed);
  const { busy, problem, act } = useDeed();
  if (!city) return null;
  const choose = async () => {
    if (await act((token) => selectCity(city.cityId, { token }))) address.set({ city: undefined });
  };
  return (
    <div className="notice">
      <p>{say('city.notChosen', { name: city.name })}</p>
      {allowed === true && (
        <div className="actions">
          <button type="button" disabled={busy} onClick={() => void choose()}>
            {say('city.gather')}
          </button>
        </div>
      )}
      {problem !== undefined && <p>{problem}</p>}
    </div>
  );
}
