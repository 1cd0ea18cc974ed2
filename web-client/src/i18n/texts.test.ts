import { describe, expect, test } from 'vitest';
import de from './de.json';
import en from './en.json';
import it from './it.json';
import liveDe from './live.de.json';
import liveEn from './live.en.json';
import liveIt from './live.it.json';
import { chooseLanguage, Texts } from './texts.ts';

const parts = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).toSorted();

describe.each([
  ['German', de, en],
  ['Italian', it, en],
  ["City Live's German", liveDe, liveEn],
  ["City Live's Italian", liveIt, liveEn],
])('the %s texts', (_, texts: Record<string, string>, english: Record<string, string>) => {
  test('are those in English, each with the same parts', () => {
    expect(Object.keys(texts).toSorted()).toEqual(Object.keys(english).toSorted());
    for (const [key, text] of Object.entries(texts)) {
      expect(text.trim(), key).not.toBe('');
      expect(parts(text), key).toEqual(parts(english[key] ?? ''));
    }
  });
});

test('the language is the first that is spoken here', () => {
  expect(chooseLanguage([null, 'fr-FR', 'de-AT', 'en'])).toBe('de');
  expect(chooseLanguage(['IT'])).toBe('it');
  expect(chooseLanguage(['toString', undefined])).toBe('en');
  expect(chooseLanguage([])).toBe('en');
});

describe('texts', () => {
  const english = new Texts('en', ['de-DE', 'en-GB']);
  const german = new Texts('de');

  test('have their parts set in', () => {
    expect(english.say('layers.inView', { n: 3 })).toBe('3 in view');
    expect(english.say('layers.inView', {})).toBe('{n} in view');
  });

  test('know words, and make others readable', () => {
    expect(german.word('type', 'air_quality')).toBe('Luftgüte');
    expect(english.word('type', 'ground_water_level')).toBe('Ground water level');
    expect(english.word('word', 'on_scene')).toBe('on scene');
    expect(english.word('unit', 'µg/m³')).toBe('µg/m³');
  });

  test('write numbers and times as the reader does', () => {
    expect(german.number(1234.56, 1)).toBe('1.234,6');
    expect(english.number(1234.56, 1)).toBe('1,234.6');
    expect(english.percent(1.07)).toBe('107%');
    expect(english.clock(new Date(2026, 0, 5, 19, 30).getTime())).toBe('19:30');
  });

  test('say how long ago', () => {
    const ages = [0, 5000, 61_000, 3_600_000, 90_000_000].map((ms) => english.age(ms));
    expect(ages).toEqual(['just now', '5 s ago', '1 min ago', '1 h ago', '1 d ago']);
  });

  test('order names as people do', () => {
    expect(['bus-10', 'bus-9', 'Bus-1'].toSorted(english.compare)).toEqual(['Bus-1', 'bus-9', 'bus-10']);
  });
});
