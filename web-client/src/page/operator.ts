import { mayChange, removeEntity } from '../api/index.ts';
import { Source } from '../twin/source.ts';
import { keep, read } from './storage.ts';

const KEY = 'citytwin.token';

/** Whether this page may change the city, and with what token. */
export class Operator {
  readonly token = new Source<string | undefined>(read('session', KEY) ?? undefined);
  /** Undefined until the server has been asked. */
  readonly allowed = new Source<boolean | undefined>(undefined);

  async ask(): Promise<void> {
    if (this.allowed.get() !== undefined) return;
    try {
      this.allowed.set(await mayChange({ token: this.token.get() ?? null }));
    } catch {
      // The server cannot be reached: what may be done is asked again when somebody wants to know.
    }
  }

  /** Whether the server takes this token; if so, it is kept until the tab is closed. */
  async signIn(token: string): Promise<boolean> {
    const allowed = await mayChange({ token });
    if (!allowed) return false;
    keep('session', KEY, token);
    this.token.set(token);
    this.allowed.set(true);
    return true;
  }

  signOut(): void {
    keep('session', KEY, null);
    this.token.set(undefined);
    this.allowed.set(undefined);
    void this.ask();
  }

  remove(id: string): Promise<boolean> {
    return removeEntity(id, { token: this.token.get() ?? null });
  }
}
