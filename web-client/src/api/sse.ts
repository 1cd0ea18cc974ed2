/** One server-sent event. */
export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
}

/** Reads a stream of server-sent events to its end; `heard` is called for whatever comes, comments included. */
export async function readEvents(
  stream: ReadableStream<Uint8Array>,
  heard: () => void,
  each: (event: ServerSentEvent) => void,
): Promise<void> {
  const parser = new EventParser(each);
  const reader = stream.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  for (;;) {
    // Each chunk can only be read after the one before it.
    // oxlint-disable-next-line no-await-in-loop
    const { done, value } = await reader.read();
    if (done) return;
    heard();
    parser.push(value);
  }
}

/** Puts events together from pieces of text (HTML standard, section 9.2.6), for a server that ends its lines with `\n`. */
export class EventParser {
  readonly #each: (event: ServerSentEvent) => void;
  /** Pieces of a line that has not ended yet: a big event comes in many, and joining it each time would be quadratic. */
  #pieces: string[] = [];
  #event = '';
  #data: string[] = [];

  constructor(each: (event: ServerSentEvent) => void) {
    this.#each = each;
  }

  push(text: string): void {
    const lines = text.split('\n');
    const rest = lines.pop() ?? '';
    for (const end of lines) {
      this.#line([...this.#pieces, end].join(''));
      this.#pieces = [];
    }
    if (rest) this.#pieces.push(rest);
  }

  #line(line: string): void {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'event') this.#event = value;
    if (name === 'data') this.#data.push(value);
  }

  #dispatch(): void {
    if (this.#event || this.#data.length) this.#each({ event: this.#event || 'message', data: this.#data.join('\n') });
    this.#event = '';
    this.#data = [];
  }
}
