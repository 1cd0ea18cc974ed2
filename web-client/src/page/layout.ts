import type { Insets } from '../map/twinMap.ts';
import type { PageState } from './state.ts';

/** From here on panels stand beside the map; on narrower screens they cover its lower part. As in `styles/narrow.css`. */
export const WIDE = '(min-width: 44rem)';

/** What header, panel and details cover of the map now, in CSS pixels, with some air. */
export function insetsOf(state: PageState): Insets {
  const panel = state.panel.get() !== undefined;
  const chosen = state.chosen.get() !== undefined;
  if (window.matchMedia(WIDE).matches) return { top: 60, bottom: 60, left: panel ? 410 : 60, right: chosen ? 400 : 60 };
  return { top: 130, bottom: panel || chosen ? Math.round(window.innerHeight * 0.52) : Math.round(window.innerHeight * 0.3), left: 24, right: 24 };
}
