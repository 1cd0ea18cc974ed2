import { useEffect, useState } from 'react';
import type { Texts } from '../i18n/texts.ts';
import { useSource } from '../twin/source.ts';
import type { Preferences } from './preferences.ts';

/** Makes the page look and speak as is preferred, and gives its texts. */
export function useAppearance(preferences: Preferences): Texts {
  const texts = useSource(preferences.texts);
  const theme = useSource(preferences.lit);
  useEffect(() => {
    document.documentElement.lang = texts.language;
    document.documentElement.dataset['theme'] = theme;
  }, [texts, theme]);
  return texts;
}

/** The present moment in Unix milliseconds, each `intervalMs`. */
export function useNow(intervalMs = 1000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), intervalMs);
    return () => clearInterval(timer);
  }, [intervalMs]);
  return now;
}
