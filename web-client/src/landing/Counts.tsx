import type { CityCounts } from '../api/city.ts';
import { formatCount } from './status.ts';

const CITY_COLUMNS = [
  ['buses', 'Buses'],
  ['stations', 'Stops'],
  ['incidents', 'Incidents'],
  ['units', 'Emergency units'],
] as const;

const DISTRICT_COLUMNS = [
  ['sensors', 'Sensors'],
  ['buildings', 'Buildings'],
  ['weatherStations', 'Weather'],
  ['edges', 'Roads'],
] as const;

interface Props {
  readonly counts: CityCounts | undefined;
  readonly problem: string | undefined;
}

/** What the city holds now: totals for the whole city, then a row per district. */
export function Counts({ counts, problem }: Props) {
  return (
    <section aria-labelledby="counts" aria-busy={counts === undefined && problem === undefined}>
      <h2 id="counts">In the twin now</h2>
      {problem !== undefined && (
        <p className="note">
          {counts ? 'These counts are from a moment ago' : 'The counts are not here yet'}: {problem}. Trying again.
        </p>
      )}
      {counts === undefined && problem === undefined && <p className="note">Counting.</p>}
      {counts && (
        <>
          <dl className="totals">
            {CITY_COLUMNS.map(([key, label]) => (
              <div key={key}>
                <dd>{formatCount(counts[key])}</dd>
                <dt>{label}</dt>
              </div>
            ))}
          </dl>
          {counts.districts.length > 0 && (
            <div className="table">
              <table>
                <thead>
                  <tr>
                    <th scope="col">District</th>
                    {DISTRICT_COLUMNS.map(([key, label]) => (
                      <th scope="col" key={key}>
                        {label}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {counts.districts.map((district) => (
                    <tr key={district.districtId}>
                      <th scope="row">{district.name}</th>
                      {DISTRICT_COLUMNS.map(([key]) => (
                        <td key={key}>{formatCount(district[key])}</td>
                      ))}
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </>
      )}
    </section>
  );
}
