import type { Raw } from '../api/cityLive.ts';
import { useTexts } from '../i18n/context.ts';
import { useSay } from '../i18n/live.ts';
import { useSource } from '../twin/source.ts';
import { useLive } from './context.ts';
import { quantity } from './describe.ts';
import { Age, SourceName } from './parts.tsx';

/** What is known of the city as a whole. */
export function CityFacts({ raw }: { readonly raw: Raw | undefined }) {
  const say = useSay();
  const texts = useTexts();
  const city = useSource(useLive().live.city);
  if (!city) return null;
  const { power, gridAlert, calls311 } = raw ?? {};
  return (
    <section className="city-facts" aria-labelledby="city-facts-title">
      <h2 id="city-facts-title">{city.name}</h2>
      <p className="soft small">{city.processedAt === null ? say('city.neverProcessed') : <>{say('city.processed')} <Age at={Date.parse(city.processedAt)} /></>}</p>
      <dl className="rows">
        {power && (
          <div>
            <dt>
              {say('city.power', { region: power.region })}
              <span className="small"> · <Age at={Date.parse(power.ts)} /> · <SourceName source={power.source} simulated={power.simulated} /></span>
            </dt>
            <dd>{power.demand === null ? '–' : quantity(power.demand, 'MWh', texts)}</dd>
          </div>
        )}
        {gridAlert && (
          <div>
            <dt>
              {say(`grid.${gridAlert.kind}`)}
              <span className="small"> · <Age at={Date.parse(gridAlert.ts)} /></span>
            </dt>
            <dd>{say('grid.excess', { excess: texts.number(gridAlert.excess, 1) })}</dd>
          </div>
        )}
        {calls311 && (
          <div>
            <dt>{say('city.callsElsewhere')}</dt>
            <dd>{texts.number(calls311.count)}</dd>
          </div>
        )}
      </dl>
    </section>
  );
}
