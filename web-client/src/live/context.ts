import { createContext, useContext } from 'react';
import type { Shell } from '../page/context.ts';
import { type Readable, Source, useSource } from '../twin/source.ts';
import { formatLiveAddress, type LiveAddress, parseLiveAddress } from '../url/liveAddress.ts';
import type { CityLive } from './cityLive.ts';

/** What every page of City Live works with. */
export interface LivePage extends Shell {
  readonly live: CityLive;
  readonly address: LiveRoute;
}

export const LiveContext = createContext<LivePage | undefined>(undefined);

export function useLive(): LivePage {
  const page = useContext(LiveContext);
  if (!page) throw new Error('there is no City Live around this component');
  return page;
}

/** The address of the page, and ways to change it. */
export class LiveRoute implements Readable<LiveAddress> {
  readonly #now: Source<LiveAddress>;

  constructor() {
    this.#now = new Source(parseLiveAddress(window.location.hash));
  }

  get = (): LiveAddress => this.#now.get();
  subscribe = (listener: () => void): (() => void) => this.#now.subscribe(listener);

  /** Changes parts of the address, in place: the back button leads to another page and not through every filter. */
  set(parts: Partial<LiveAddress>): void {
    const next = { ...this.get(), ...parts };
    window.history.replaceState(window.history.state, '', `#${formatLiveAddress(next)}`);
    this.#now.set(next);
  }

  /** The address with other parts, for a link. */
  with(parts: LiveAddress): string {
    const { city } = this.get();
    return `#${formatLiveAddress({ ...(city !== undefined && { city }), ...parts })}`;
  }

  follow(): () => void {
    const read = () => this.#now.set(parseLiveAddress(window.location.hash));
    window.addEventListener('hashchange', read);
    return () => window.removeEventListener('hashchange', read);
  }
}

export function useAddress(): LiveAddress {
  return useSource(useLive().address);
}
