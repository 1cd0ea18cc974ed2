import { describeStatus, type RequestOptions } from './graphql.ts';

/** What the server is configured to lay under a map (`MAP_BACKGROUND`). */
export interface Background {
  /** Raster tiles by a URL with `{z}`, `{x}` and `{y}`, or a PMTiles file. */
  readonly kind: 'tiles' | 'pmtiles';
  readonly url: string;
  /** Whom a map has to name for it. */
  readonly attribution: string | null;
}

/** Asks what to lay under a map; null where it shows only the city's own geometry. */
export async function fetchBackground({ url = '', signal }: RequestOptions = {}): Promise<Background | null> {
  const response = await fetch(`${url}/map.json`, signal ? { signal } : {});
  if (!response.ok) throw new Error(`/map.json answered ${describeStatus(response)}`);
  return ((await response.json()) as { readonly background: Background | null }).background;
}
