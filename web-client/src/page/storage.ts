/** `local` outlives the browser, `session` only as long as the tab is open. */
export type Lasting = 'local' | 'session';

// A browser may refuse storage, even to be asked for it; then nothing is kept, and all else works.

/** What is kept under a key; null where nothing is. */
export function read(lasting: Lasting, key: string): string | null {
  try {
    return storage(lasting).getItem(key);
  } catch {
    return null;
  }
}

/** Keeps a value under a key; null forgets it. */
export function keep(lasting: Lasting, key: string, value: string | null): void {
  try {
    if (value === null) storage(lasting).removeItem(key);
    else storage(lasting).setItem(key, value);
  } catch {
    // Nothing is kept.
  }
}

function storage(lasting: Lasting): Storage {
  return lasting === 'local' ? window.localStorage : window.sessionStorage;
}
