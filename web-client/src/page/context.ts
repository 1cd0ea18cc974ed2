import { createContext, useContext } from 'react';
import { PALETTES, type Palette } from '../map/palette.ts';
import type { LiveCity } from '../twin/liveCity.ts';
import { useSource } from '../twin/source.ts';
import type { MapHandle } from './mapHandle.ts';
import type { Operator } from './operator.ts';
import type { Preferences } from './preferences.ts';
import type { PageState } from './state.ts';

/** What the panels of every page work with. */
export interface Shell {
  readonly preferences: Preferences;
  readonly operator: Operator;
}

export const ShellContext = createContext<Shell | undefined>(undefined);

export function useShell(): Shell {
  const shell = useContext(ShellContext);
  if (!shell) throw new Error('there is no page around this component');
  return shell;
}

/** What every panel of the map works with. */
export interface Page extends Shell {
  readonly city: LiveCity;
  readonly state: PageState;
  readonly map: MapHandle;
}

export const PageContext = createContext<Page | undefined>(undefined);

export function usePage(): Page {
  const page = useContext(PageContext);
  if (!page) throw new Error('there is no page around this component');
  return page;
}

/** The colours that the map and the legend share. */
export function usePalette(): Palette {
  return PALETTES[useSource(useShell().preferences.lit)];
}
