import { createContext, useContext } from 'react';
import { Texts } from './texts.ts';

/** The texts of the language that the page speaks now. */
export const TextsContext = createContext(new Texts('en'));

export function useTexts(): Texts {
  return useContext(TextsContext);
}
