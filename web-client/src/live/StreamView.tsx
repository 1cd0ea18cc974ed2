import { useEffect, useState } from 'react';
import type { FeedFilter, FeedItem, LiveTopic } from '../api/cityLive.ts';
import { useTexts } from '../i18n/context.ts';
import { useSay } from '../i18n/live.ts';
import { Glyph } from '../panels/icons.tsx';
import { useSource } from '../twin/source.ts';
import { TOPICS } from '../url/liveAddress.ts';
import { problemText } from './answer.ts';
import { useAddress, useLive } from './context.ts';
import { payloadRows } from './describe.ts';
import { FeedList } from './feedList.ts';
import { Age, SourceName } from './parts.tsx';

/** The messages as they came, the newest first, by topic and zone. */
export function StreamView() {
  const say = useSay();
  const texts = useTexts();
  const { live, address } = useLive();
  const { zone, topic } = useAddress();
  const cityId = useSource(live.city)?.cityId;
  const zones = useSource(live.zones);
  if (cityId === undefined) return null;
  const sorted = (zones ?? []).toSorted((a, b) => texts.compare(a.name, b.name));
  return (
    <section className="card sheet stream-view" aria-labelledby="stream-title">
      <h2 id="stream-title">{say('view.stream')}</h2>
      <div className="filters">
        <label>
          {say('stream.topic')}
          <select value={topic ?? ''} onChange={(event) => address.set({ topic: (event.target.value || undefined) as LiveTopic | undefined })}>
            <option value="">{say('stream.allTopics')}</option>
            {TOPICS.map((each) => (
              <option key={each} value={each}>
                {say(`topic.${each}`)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {say('stream.zone')}
          <select value={zone ?? ''} onChange={(event) => address.set({ zone: event.target.value || undefined })}>
            <option value="">{say('stream.allZones')}</option>
            {sorted.map(({ zoneId, name }) => (
              <option key={zoneId} value={zoneId}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Stream key={JSON.stringify([cityId, topic, zone])} cityId={cityId} filter={{ topic, zoneId: zone }} />
    </section>
  );
}

function Stream({ cityId, filter }: { readonly cityId: string; readonly filter: FeedFilter }) {
  const say = useSay();
  const texts = useTexts();
  const zones = useSource(useLive().live.zones);
  const [list] = useState(() => new FeedList(cityId, filter));
  useEffect(() => {
    list.open();
    return () => list.close();
  }, [list]);
  const held = useSource(list.held);
  const problem = useSource(list.problem);
  const waiting = useSource(list.waiting);
  const [paused, setPaused] = useState(false);
  const [reading, setReading] = useState(false);

  const toggle = () => {
    list.pause(!paused);
    setPaused(!paused);
  };
  const older = async () => {
    setReading(true);
    await list.older();
    setReading(false);
  };
  const isNarrowed = filter.topic !== undefined || filter.zoneId !== undefined;
  return (
    <>
      <div className="actions">
        <button type="button" aria-pressed={paused} onClick={toggle}>
          <Glyph name={paused ? 'play' : 'pause'} size={16} />
          {say('stream.pause')}
        </button>
      </div>
      {problem && <p className="notice offline">{problemText(problem, say)}</p>}
      {paused && <p className="notice">{say('stream.paused', { n: texts.number(waiting) })}</p>}
      {!held && !problem && <p className="soft">{say('app.asking')}</p>}
      {held?.items.length === 0 && <p className="soft">{say(isNarrowed ? 'stream.noneMatch' : 'stream.none')}</p>}
      <ol className="stream" aria-label={say('stream.list')}>
        {held?.items.map((item) => (
          <Message key={item.id} item={item} zone={zones?.find(({ zoneId }) => zoneId === item.zoneId)?.name ?? item.zoneId} />
        ))}
      </ol>
      {held && (held.next !== undefined || held.cut) && (
        <button type="button" className="more" disabled={reading} onClick={() => void older()}>
          {say('stream.older')}
        </button>
      )}
    </>
  );
}

function Message({ item, zone }: { readonly item: FeedItem; readonly zone: string | null }) {
  const say = useSay();
  const texts = useTexts();
  const rows = payloadRows(item.payload, say, texts);
  return (
    <li className="message">
      <div className="what">
        <strong>{say.word('message', item.type)}</strong>
        <span>{zone ?? say('alerts.wholeCity')}</span>
        <span className="soft small">
          {say('stream.measured')} <Age at={Date.parse(item.ts)} />
        </span>
        <span className="soft small">
          {say('stream.takenIn', { time: texts.moment(Date.parse(item.ingestedAt)) })}
        </span>
        <span className="soft small">
          <SourceName source={item.source} simulated={item.simulated} />
        </span>
      </div>
      <p className="payload small">
        {rows.map(({ label, value }) => (
          <span key={label}>
            <span className="soft">{label}</span> {value}
          </span>
        ))}
      </p>
    </li>
  );
}
