import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App.tsx';
import { insetsOf, WIDE } from './page/layout.ts';
import { MapHandle } from './page/mapHandle.ts';
import { Operator } from './page/operator.ts';
import { Preferences } from './page/preferences.ts';
import { PageState } from './page/state.ts';
import './styles/base.css';
import './styles/map.css';
import './styles/masthead.css';
import './styles/panels.css';
import './styles/detail.css';
// Last: what it says holds over the others.
import './styles/narrow.css';
import { LiveCity } from './twin/liveCity.ts';
import { parseAddress } from './url/address.ts';

const state = new PageState(parseAddress(window.location.hash), window.matchMedia(WIDE).matches);

const page = {
  state,
  city: new LiveCity(),
  preferences: new Preferences(navigator.languages, window.matchMedia('(prefers-color-scheme: dark)')),
  operator: new Operator(),
  map: new MapHandle(() => insetsOf(state)),
};

createRoot(document.querySelector('#root') as HTMLElement).render(
  <StrictMode>
    <App page={page} />
  </StrictMode>,
);
