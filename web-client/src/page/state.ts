import type { Position } from '../twin/geometry.ts';
import type { DrawnKind } from '../twin/kinds.ts';
import { Source } from '../twin/source.ts';
import { type Address, DEFAULT_LAYERS, formatAddress, type Panel, parseAddress } from '../url/address.ts';

/** What a person has chosen, and how it came to be chosen. */
export interface Chosen {
  readonly id: string;
  /** Where the map goes to show it: there, or wherever it turns out to be. Absent, the map stays. */
  readonly goTo?: Position | 'where it is';
  /** Whether the keyboard goes along: it does from a list, and not from the map. */
  readonly focus?: boolean;
}

/** What the page shows, apart from the city itself. */
export class PageState {
  readonly layers: Source<readonly DrawnKind[]>;
  readonly chosen: Source<Chosen | undefined>;
  readonly panel: Source<Panel | undefined>;
  readonly view: Source<Address['view']>;
  /** Ids that are recorded, in view or not. */
  readonly kept: Source<readonly string[]>;

  /** Whom the map names for its background. */
  readonly attribution = new Source<string | undefined>(undefined);

  constructor(address: Address, wide: boolean) {
    this.layers = new Source(address.layers ?? DEFAULT_LAYERS);
    this.chosen = new Source(address.chosen === undefined ? undefined : chosenBy(address));
    this.view = new Source(address.view);
    this.kept = new Source(address.kept ?? []);
    const panel = address.panel ?? (wide ? 'incidents' : 'none');
    this.panel = new Source(panel === 'none' ? undefined : panel);
  }

  toggleLayer(kind: DrawnKind): void {
    const on = this.layers.get();
    this.layers.set(on.includes(kind) ? on.filter((each) => each !== kind) : [...on, kind]);
  }

  togglePanel(panel: Panel): void {
    this.panel.set(this.panel.get() === panel ? undefined : panel);
  }

  /** Keeps the address of the page what it shows, and the page what its address says. */
  followAddress(): () => void {
    let written = '';
    const write = () => {
      const [view, chosen] = [this.view.get(), this.chosen.get()?.id];
      written = `#${formatAddress({
        ...(view && { view }),
        layers: this.layers.get(),
        ...(chosen !== undefined && { chosen }),
        panel: this.panel.get() ?? 'none',
        kept: this.kept.get(),
      })}`;
      if (written !== window.location.hash) window.history.replaceState(window.history.state, '', written);
    };
    const read = () => {
      if (window.location.hash === written) return;
      const address = parseAddress(window.location.hash);
      this.layers.set(address.layers ?? DEFAULT_LAYERS);
      this.kept.set(address.kept ?? []);
      this.chosen.set(address.chosen === undefined ? undefined : chosenBy(address));
      if (address.view) this.view.set(address.view);
      if (address.panel) this.panel.set(address.panel === 'none' ? undefined : address.panel);
    };
    const stops = [this.layers, this.chosen, this.panel, this.view, this.kept].map((source) => source.subscribe(write));
    window.addEventListener('hashchange', read);
    return () => {
      for (const stop of stops) stop();
      window.removeEventListener('hashchange', read);
    };
  }
}

/** An address that names something and no view means: show it. */
function chosenBy({ chosen = '', view }: Address): Chosen {
  return view ? { id: chosen } : { id: chosen, goTo: 'where it is' };
}
