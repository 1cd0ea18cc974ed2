import query from './city.graphql?raw';
import { execute } from './graphql.ts';

/** How many entities of each kind a district holds. */
export interface DistrictCounts {
  readonly districtId: string;
  readonly name: string;
  readonly sensors: number;
  readonly buildings: number;
  readonly weatherStations: number;
  readonly edges: number;
}

/** How many entities of each kind the city holds. */
export interface CityCounts {
  readonly cityId: string;
  readonly name: string;
  readonly districts: readonly DistrictCounts[];
  readonly buses: number;
  readonly stations: number;
  readonly incidents: number;
  readonly units: number;
}

interface Count {
  readonly totalCount: number;
}

/** The data of `city.graphql`. */
export interface CityCountsData {
  readonly city: { readonly cityId: string; readonly name: string };
  readonly districts: {
    readonly edges: readonly {
      readonly node: {
        readonly districtId: string;
        readonly name: string;
        readonly sensors: Count;
        readonly buildings: Count;
        readonly weatherStations: Count;
        readonly cityGraph: { readonly edges: Count };
      };
    }[];
  };
  readonly buses: Count;
  readonly stations: Count;
  readonly incidents: Count;
  readonly units: Count;
}

/** Counts the city's entities. Rejects with the server's own words where it cannot. */
export async function fetchCityCounts(signal: AbortSignal): Promise<CityCounts> {
  const result = await execute<CityCountsData>({ query, operationName: 'CityCounts' }, { signal });
  const problem = result.errors?.[0];
  if (problem) throw new Error(problem.message);
  if (!result.data) throw new Error('/graphql answered without data');
  return countsOf(result.data);
}

/** Flattens what the query returns. */
export function countsOf(data: CityCountsData): CityCounts {
  return {
    cityId: data.city.cityId,
    name: data.city.name,
    districts: data.districts.edges.map(({ node }) => ({
      districtId: node.districtId,
      name: node.name,
      sensors: node.sensors.totalCount,
      buildings: node.buildings.totalCount,
      weatherStations: node.weatherStations.totalCount,
      edges: node.cityGraph.edges.totalCount,
    })),
    buses: data.buses.totalCount,
    stations: data.stations.totalCount,
    incidents: data.incidents.totalCount,
    units: data.units.totalCount,
  };
}
