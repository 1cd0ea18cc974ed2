import {
  type Alert,
  type CityState,
  fetchCities,
  fetchZones,
  followAlerts,
  followCity,
  followResults,
  type ListedCity,
  type Processed,
  type Zone,
} from '../api/cityLive.ts';
import type { Connection } from '../api/index.ts';
import { Source } from '../twin/source.ts';
import { persistently } from './answer.ts';

/** What City Live's pages know of the city that is looked at; undefined is what the server has not said yet. */
export class CityLive {
  readonly cities = new Source<readonly ListedCity[] | undefined>(undefined);
  readonly city = new Source<CityState | undefined>(undefined);
  readonly zones = new Source<readonly Zone[] | undefined>(undefined);
  /** What the last run made of each zone, by its `zoneId`. */
  readonly results = new Source<ReadonlyMap<string, Processed> | undefined>(undefined);
  /** Open and acknowledged ones, newest first. */
  readonly alerts = new Source<readonly Alert[] | undefined>(undefined);
  readonly connection = new Source<Connection>({ state: 'connecting', since: Date.now(), newestData: null, attempt: 0 });
  readonly problem = new Source<Error | undefined>(undefined);

  #stopCity: (() => void) | undefined;
  #stopRest: (() => void) | undefined;
  #wanted: string | undefined;
  #isOpen = false;

  /** Looks at a city from now on; without one at that which is chosen, whichever that is. */
  look(cityId: string | undefined): void {
    if (this.#isOpen && cityId === this.#wanted) return;
    this.close();
    this.#isOpen = true;
    this.#wanted = cityId;
    this.problem.set(undefined);
    this.#stopCity = followCity(cityId, {
      next: (city) => this.#take(city),
      error: (problem) => this.problem.set(problem),
      state: (state, attempt) => this.#tell(state, attempt),
    });
    void this.listCities();
  }

  /** Asks for the cities anew: somebody may have chosen another one, or the server got another catalogue. */
  async listCities(): Promise<void> {
    try {
      this.cities.set(await fetchCities());
      const { state, attempt } = this.connection.get();
      this.#tell(state, attempt);
    } catch (error) {
      this.problem.set(error as Error);
    }
  }

  close(): void {
    this.#isOpen = false;
    this.#stopCity?.();
    this.#stopRest?.();
    this.#stopRest = undefined;
    this.#forget();
  }

  /** An alert has become this: somebody here acknowledged it. */
  change(alert: Alert): void {
    this.alerts.set(changed(this.alerts.get() ?? [], [alert]));
  }

  #tell(state: Connection['state'], attempt: number): void {
    const before = this.connection.get();
    // Where no city is chosen there is nothing to catch up with.
    const isUnchosen = this.#wanted === undefined && this.cities.get()?.every(({ chosen }) => !chosen) === true;
    const told = state === 'catching-up' && isUnchosen ? 'live' : state;
    this.connection.set({ ...before, state: told, attempt, since: told === before.state ? before.since : Date.now() });
  }

  #forget(): void {
    for (const source of [this.city, this.zones, this.results, this.alerts]) source.set(undefined);
  }

  #take(city: CityState): void {
    const isNew = city.cityId !== this.city.get()?.cityId;
    if (isNew) this.#forget();
    this.problem.set(undefined);
    this.city.set(city);
    this.connection.set({ ...this.connection.get(), newestData: city.processedAt === null ? null : Date.parse(city.processedAt) });
    if (isNew) this.#follow(city.cityId);
  }

  #follow(cityId: string): void {
    this.#stopRest?.();
    const stop = new AbortController();
    const error = (problem: Error) => this.problem.set(problem);
    const stops = [
      followResults(cityId, {
        error,
        next: ({ snapshot, zones }) => {
          const results = new Map(snapshot ? [] : this.results.get());
          for (const { zoneId, processed } of zones) if (processed) results.set(zoneId, processed);
          this.results.set(results);
        },
      }),
      followAlerts(cityId, { error, next: ({ snapshot, alerts }) => this.alerts.set(changed(snapshot ? [] : (this.alerts.get() ?? []), alerts)) }),
      () => stop.abort(),
    ];
    this.#stopRest = () => {
      for (const each of stops) each();
    };
    void persistently((signal) => fetchZones(cityId, { signal }), stop.signal, error).then((zones) => {
      if (zones && !stop.signal.aborted) this.zones.set(zones);
    });
  }
}

/** The alerts after some have changed: without the cleared ones, the newest first. */
export function changed(alerts: readonly Alert[], news: readonly Alert[]): readonly Alert[] {
  const byId = new Map([...alerts, ...news].map((alert) => [alert.alertId, alert]));
  return [...byId.values()].filter(({ status }) => status !== 'CLEARED').toSorted((a, b) => Date.parse(b.raisedAt) - Date.parse(a.raisedAt));
}
