import { useEffect, useState } from 'react';
import { type DistrictDashboard, followDashboard } from '../api/index.ts';
import { useTexts } from '../i18n/context.ts';
import { CONGESTION_LEVELS } from '../map/palette.ts';
import { usePage, usePalette } from '../page/context.ts';
import { useNow } from '../page/hooks.ts';
import { boundariesOf, positionOf } from '../twin/geometry.ts';
import { cityWideId } from '../twin/kinds.ts';
import { Glyph } from './icons.tsx';

/** The districts in numbers, live, as long as the panel is open. */
export function DistrictPanel() {
  const texts = useTexts();
  const [districts, setDistricts] = useState<readonly DistrictDashboard[]>();
  const [problem, setProblem] = useState<string>();
  useEffect(
    () =>
      followDashboard({
        next: (numbers) => {
          setDistricts(numbers);
          setProblem(undefined);
        },
        error: (error) => setProblem(error.message),
      }),
    [],
  );
  return (
    <section aria-labelledby="districts-title" aria-busy={districts === undefined}>
      <h2 id="districts-title">
        {texts.say('districts.title')} {districts && <span className="count">{texts.number(districts.length)}</span>}
      </h2>
      {problem !== undefined && <p className="soft">{texts.say('districts.failed', { reason: problem })}</p>}
      {districts === undefined && problem === undefined && <p className="soft">{texts.say('districts.loading')}</p>}
      {districts?.length === 0 && <p className="soft">{texts.say('districts.none')}</p>}
      <ul className="districts">
        {districts?.map((district) => (
          <li key={district.districtId}>
            <District district={district} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function District({ district }: { readonly district: DistrictDashboard }) {
  const texts = useTexts();
  const { city, map } = usePage();
  const now = useNow(1000);
  const show = () => {
    const entity = city.districts.get()?.find(({ id }) => id === cityWideId('DISTRICT', district.districtId));
    const box = entity && boundariesOf(entity);
    const at = entity && positionOf(entity);
    if (box) map.show(box);
    else if (at) map.goTo(at);
  };
  const openIncidents = sum(district.incidents.filter(({ status }) => status !== 'RESOLVED'));
  const freeUnits = sum(district.units.filter(({ status }) => status === 'AVAILABLE'));
  const newest = district.newestUpdate === null ? undefined : Date.parse(district.newestUpdate);
  const figures: [string, string][] = [
    [texts.say('districts.incidents'), texts.number(openIncidents)],
    [texts.say('districts.units'), texts.number(freeUnits)],
    [texts.say('districts.buses'), texts.number(district.busesInService)],
    [texts.say('districts.speed'), district.meanSpeed === null ? '–' : `${texts.number(district.meanSpeed)} km/h`],
    [texts.say('districts.occupancy'), district.occupancyRate === null ? '–' : texts.percent(district.occupancyRate)],
    [texts.say('districts.newest'), newest === undefined ? '–' : texts.age(Math.max(0, now - newest))],
  ];
  return (
    <article>
      <h3>
        <button type="button" onClick={show} aria-label={texts.say('districts.show', { name: district.name })}>
          {district.name}
          <Glyph name="target" size={16} />
        </button>
      </h3>
      <dl className="figures">
        {figures.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Traffic edges={district.edges} />
      {district.sensors.length > 0 && (
        <details>
          <summary>{texts.say('districts.sensors')}</summary>
          <dl className="rows">
            {district.sensors
              .filter(({ meanValue, status }) => meanValue !== null && status === 'ACTIVE')
              .map(({ type, unit, count, meanValue }) => (
                <div key={`${type} ${unit}`}>
                  <dt>
                    {type === null ? texts.say('kind.SENSOR') : texts.word('type', type)} <span className="soft">× {texts.number(count)}</span>
                  </dt>
                  <dd>
                    {texts.number(meanValue ?? 0, 1)} {unit === null ? '' : texts.word('unit', unit)}
                  </dd>
                </div>
              ))}
          </dl>
        </details>
      )}
    </article>
  );
}

/** The roads of a district as one bar, by how the traffic flows on them. */
function Traffic({ edges }: { readonly edges: DistrictDashboard['edges'] }) {
  const texts = useTexts();
  const palette = usePalette();
  const parts = edges.map(({ congestionLevel, count }) => {
    const level = congestionLevel?.toLowerCase() ?? 'unknown';
    const step = CONGESTION_LEVELS.findIndex((each) => each === level);
    return { level, count, colour: palette.congestion[step] ?? palette.road };
  });
  if (parts.length === 0) return null;
  const label = parts.map(({ level, count }) => texts.say('districts.roadsOf', { level: texts.word('congestion', level), n: texts.number(count) })).join(', ');
  return (
    <>
      <p className="unseen">{`${texts.say('districts.roads')}: ${label}`}</p>
      <div className="traffic" aria-hidden="true" title={label}>
        {parts.map(({ level, count, colour }) => (
          <span key={level} style={{ flexGrow: count, background: colour }} />
        ))}
      </div>
    </>
  );
}

function sum(groups: readonly { readonly count: number }[]): number {
  return groups.reduce((total, { count }) => total + count, 0);
}
