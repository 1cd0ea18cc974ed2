import { useMemo } from 'react';
import { useTexts } from './context.ts';
import de from './live.de.json';
import en from './live.en.json';
import it from './live.it.json';
import { fill, type Language, type Parts } from './texts.ts';

/** A text of City Live's pages, in every language. They are apart from the others so that the map's page does not load them. */
export type LiveKey = keyof typeof en;

const ALL = { en, de, it } satisfies Record<Language, Record<LiveKey, string>>;

/** Says a text of City Live, with its parts set in. */
export interface Say {
  (key: LiveKey, parts?: Parts): string;
  /** A word of an open set, such as a source: translated where it is known, else as it came, made readable. */
  word(set: 'input' | 'part' | 'feature' | 'source' | 'message', word: string): string;
}

export function sayIn(language: Language): Say {
  const say = (key: LiveKey, parts?: Parts) => fill(ALL[language][key], parts);
  const word = (set: string, each: string) => {
    const key = `${set}.${each}`;
    return key in ALL[language] ? say(key as LiveKey) : each.replaceAll('_', ' ').trim();
  };
  return Object.assign(say, { word });
}

/** The texts of City Live in the language that the page speaks now. */
export function useSay(): Say {
  const { language } = useTexts();
  return useMemo(() => sayIn(language), [language]);
}
