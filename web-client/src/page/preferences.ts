import { chooseLanguage, type Language, Texts } from '../i18n/texts.ts';
import type { Theme } from '../map/palette.ts';
import { Source } from '../twin/source.ts';
import { keep, read } from './storage.ts';

/** How the page looks and speaks, kept in this browser. */
export class Preferences {
  /** What a person asked for. */
  readonly theme = new Source<Theme | 'system'>('system');
  /** How the page is lit: that, or as the device is. */
  readonly lit: Source<Theme>;
  readonly language: Source<Language>;
  readonly texts: Source<Texts>;

  constructor(languages: readonly string[], dark: MediaQueryList) {
    const theme = read('local', 'citytwin.theme');
    if (theme === 'light' || theme === 'dark') this.theme.set(theme);
    const lit = (): Theme => {
      const wanted = this.theme.get();
      if (wanted !== 'system') return wanted;
      return dark.matches ? 'dark' : 'light';
    };
    this.lit = new Source(lit());
    this.language = new Source(chooseLanguage([read('local', 'citytwin.language'), ...languages]));
    this.texts = new Source(new Texts(this.language.get(), languages));
    dark.addEventListener('change', () => this.lit.set(lit()));
    this.theme.subscribe(() => {
      keep('local', 'citytwin.theme', this.theme.get());
      this.lit.set(lit());
    });
    this.language.subscribe(() => {
      keep('local', 'citytwin.language', this.language.get());
      this.texts.set(new Texts(this.language.get(), languages));
    });
  }
}
