import de from './de.json';
import en from './en.json';
import it from './it.json';

/** A text that the page has in every language. */
export type Key = keyof typeof en;

/** What stands in the braces of a text. */
export type Parts = Record<string, string | number>;

const ALL = { en, de, it } satisfies Record<string, Record<Key, string>>;

/** The languages of the page, each in its own words. */
export const LANGUAGES = { en: 'English', de: 'Deutsch', it: 'Italiano' } as const satisfies Record<keyof typeof ALL, string>;

export type Language = keyof typeof ALL;

/** The first of these (`de-AT`, `en`) that the page speaks; English where it speaks none. */
export function chooseLanguage(wanted: readonly (string | null | undefined)[]): Language {
  const known = wanted.map((tag) => tag?.toLowerCase().split('-')[0]).find((tag) => tag !== undefined && tag in ALL);
  return (known as Language | undefined) ?? 'en';
}

/** A text with its parts set in. */
export function fill(text: string, parts?: Parts): string {
  return parts ? text.replace(/\{(\w+)\}/g, (whole, name: string) => String(parts[name] ?? whole)) : text;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** All that the page says, in one language: its texts, numbers, times and ages. */
export class Texts {
  readonly language: Language;
  readonly #locale: string;
  readonly #numbers = new Map<number, Intl.NumberFormat>();
  readonly #percent: Intl.NumberFormat;
  readonly #compact: Intl.NumberFormat;
  readonly #clock: Intl.DateTimeFormat;
  readonly #moment: Intl.DateTimeFormat;
  readonly #order: Intl.Collator;

  /** `wanted` are the reader's own languages: how a number or a time is written also depends on the country. */
  constructor(language: Language, wanted: readonly string[] = []) {
    this.language = language;
    const locale = wanted.find((tag) => tag.toLowerCase().split('-')[0] === language) ?? language;
    this.#locale = locale;
    this.#percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 });
    this.#compact = new Intl.NumberFormat(locale, { notation: 'compact' });
    this.#clock = new Intl.DateTimeFormat(locale, { timeStyle: 'short' });
    this.#moment = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' });
    this.#order = new Intl.Collator(locale, { numeric: true });
  }

  /** The text of a key, with its parts set in. */
  say(key: Key, parts?: Parts): string {
    return fill(ALL[this.language][key], parts);
  }

  /** A word of an open set, such as a sensor's type: translated where it is known, else as it came, made readable. */
  word(set: 'word' | 'type' | 'congestion' | 'unit', word: string): string {
    const key = `${set}.${word}`;
    if (key in ALL[this.language]) return this.say(key as Key);
    if (set === 'unit') return word;
    const readable = word.replaceAll('_', ' ').trim();
    return set === 'type' ? readable.charAt(0).toLocaleUpperCase(this.language) + readable.slice(1) : readable;
  }

  /** A number with at most so many decimals. */
  number(value: number, decimals = 0): string {
    let format = this.#numbers.get(decimals);
    if (!format) this.#numbers.set(decimals, (format = new Intl.NumberFormat(this.#locale, { maximumFractionDigits: decimals })));
    return format.format(value);
  }

  /** A large count in a few characters, such as `1.2K`. */
  compact(count: number): string {
    return this.#compact.format(count);
  }

  /** A share of 1 as percent. */
  percent(share: number): string {
    return this.#percent.format(share);
  }

  /** Hours and minutes of a moment in Unix milliseconds. */
  clock(at: number): string {
    return this.#clock.format(at);
  }

  /** Date and time of a moment in Unix milliseconds. */
  moment(at: number): string {
    return this.#moment.format(at);
  }

  /** A day and its hours and minutes, in another time zone where it is given. */
  hour(at: number, timeZone?: string): string {
    return new Intl.DateTimeFormat(this.#locale, { weekday: 'short', hour: '2-digit', minute: '2-digit', ...(timeZone !== undefined && { timeZone }) }).format(at);
  }

  /** How long ago something was, in the largest unit that fits. */
  age(ms: number): string {
    if (ms < 2000) return this.say('age.now');
    if (ms < MINUTE) return this.say('age.seconds', { n: Math.floor(ms / 1000) });
    if (ms < HOUR) return this.say('age.minutes', { n: Math.floor(ms / MINUTE) });
    if (ms < DAY) return this.say('age.hours', { n: Math.floor(ms / HOUR) });
    return this.say('age.days', { n: Math.floor(ms / DAY) });
  }

  /** Orders names as people of this language do, `bus-9` before `bus-10`. */
  compare = (a: string, b: string): number => this.#order.compare(a, b);
}
