import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Operator } from '../page/operator.ts';
import { Preferences } from '../page/preferences.ts';
import '../styles/base.css';
import '../styles/map.css';
import '../styles/masthead.css';
import '../styles/panels.css';
import '../styles/detail.css';
import '../styles/live.css';
import '../styles/livePages.css';
// Last: what it says holds over the others.
import '../styles/liveNarrow.css';
import { CityLive } from './cityLive.ts';
import { LiveRoute } from './context.ts';
import { LiveApp } from './LiveApp.tsx';

const page = {
  live: new CityLive(),
  address: new LiveRoute(),
  preferences: new Preferences(navigator.languages, window.matchMedia('(prefers-color-scheme: dark)')),
  operator: new Operator(),
};

createRoot(document.querySelector('#root') as HTMLElement).render(
  <StrictMode>
    <LiveApp page={page} />
  </StrictMode>,
);
