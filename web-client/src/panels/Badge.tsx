import type { Connection } from '../api/index.ts';
import { useTexts } from '../i18n/context.ts';
import { useNow } from '../page/hooks.ts';
import { type Readable, useSource } from '../twin/source.ts';

/** How the page is connected, and how old its newest data is. */
export function Badge({ connection }: { readonly connection: Readable<Connection> }) {
  const texts = useTexts();
  const { state, newestData } = useSource(connection);
  const now = useNow();
  const age = newestData === null ? undefined : texts.age(Math.max(0, now - newestData));
  return (
    <div className={`badge ${state}`} title={texts.say(`connection.detail.${state}`)}>
      {/* Only the state is announced: an age that is read out each second helps nobody. */}
      <output className="state">{texts.say(`connection.${state}`)}</output>
      {age !== undefined && <span className="age">{texts.say('connection.data', { age })}</span>}
    </div>
  );
}

/** Says in a sentence what is wrong while the map shows an older city. */
export function ConnectionNotice({ connection, problem: refusal }: { readonly connection: Readable<Connection>; readonly problem: Readable<string | undefined> }) {
  const texts = useTexts();
  const { state, since } = useSource(connection);
  const problem = useSource(refusal);
  if (state !== 'stale' && state !== 'offline') return null;
  if (problem !== undefined) return <p className="notice offline">{texts.say('connection.refused', { reason: problem })}</p>;
  return (
    <p className={`notice ${state}`}>
      <strong>{texts.say('connection.since', { state: texts.say(`connection.${state}`), time: texts.clock(since) })}</strong>{' '}
      {texts.say(`connection.detail.${state}`)}
    </p>
  );
}
