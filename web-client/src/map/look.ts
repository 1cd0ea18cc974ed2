import type { Box } from '../api/index.ts';
import type { Page } from '../page/context.ts';
import { wantedFor } from '../twin/viewport.ts';
import { boxOf, viewOf } from './camera.ts';
import type { View } from './twinMap.ts';

/** Asks for what a map shows that looks there. */
export function look({ city, state }: Page, box: Box, zoom: number): void {
  city.look(wantedFor(city.wanted, box, zoom, state.layers.get()));
}

/**
 * Where a map in `container` begins: at the address, else where all of the city is seen; undefined where nobody knows where that is.
 *
 * What it shows is asked for at once: it is here when the map is, which has to be loaded and to find a graphics card first.
 */
export function firstLook(page: Page, container: HTMLElement): View | undefined {
  const size = { width: container.clientWidth, height: container.clientHeight };
  const frame = page.city.frame();
  const view = page.state.view.get() ?? (frame && viewOf(frame, size, page.map.insets()));
  if (view) look(page, boxOf(view, size), view.zoom);
  return view;
}
