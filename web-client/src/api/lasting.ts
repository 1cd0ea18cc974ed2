import { after, badge, delayOf, START, type Signal, type State, transportOf } from './connection.ts';
import { dataOf, GraphQLProblem, type Operation, type Result } from './graphql.ts';
import { type Link, serverSentEvents, socket, type Transport } from './transport.ts';
import type { Connection } from './twin.ts';

/** The best first: a socket, and where none gets through server-sent events. */
export const TRANSPORTS: readonly Transport[] = [socket, serverSentEvents];

/** What the server would say each time that it is asked the same. */
const FOR_GOOD = new Set(['BAD_USER_INPUT', 'GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED', 'UNAUTHENTICATED', 'FORBIDDEN', 'UNKNOWN_CITY', 'CITY_LIVE_OFF']);
/** An attempt that was not answered by then has failed: some proxies let a handshake hang. */
const ANSWER_MS = 8000;

export interface LastingOptions<Data> {
  readonly url?: string | undefined;
  readonly transports?: readonly Transport[] | undefined;
  /** The subscription as it is now to be asked for: after a loss it resumes. */
  operation(): Operation;
  /** Takes what came; says whether what there is is now `complete`, still `behind`, or as it was. */
  next(data: Data): 'complete' | 'behind' | 'heard';
  onState?(state: Connection['state'], attempt: number): void;
  onError?(error: Error): void;
}

/** A subscription that outlives its connections: what `connection.ts` decides, done. */
export class LastingSubscription<Data> {
  readonly #options: LastingOptions<Data>;
  readonly #transports: readonly Transport[];
  #state: State = START;
  #link: Link | undefined;
  #worked: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heardAt = 0;
  #closed = false;

  constructor(options: LastingOptions<Data>) {
    this.#options = options;
    this.#transports = options.transports ?? TRANSPORTS;
    globalThis.addEventListener?.('online', this.#onWake);
    globalThis.addEventListener?.('offline', this.#tell);
    globalThis.document?.addEventListener('visibilitychange', this.#onWake);
    this.#open();
  }

  /** Whether the server will not have the operation as it is. */
  get refused(): boolean {
    return this.#state.phase === 'refused';
  }

  /** Runs an operation on the connection that the subscription has; rejects where it has none. */
  async execute<Answer>(operation: Operation): Promise<Answer> {
    if (!this.#link) throw new Error('Not connected');
    return dataOf((await this.#link.execute(operation)) as Result<Answer>);
  }

  /** Asks for the subscription anew, at once. */
  restart(): void {
    if (this.#closed) return;
    this.#drop();
    this.#signal('lost');
    this.#open();
  }

  close(): void {
    this.#closed = true;
    this.#drop();
    globalThis.removeEventListener?.('online', this.#onWake);
    globalThis.removeEventListener?.('offline', this.#tell);
    globalThis.document?.removeEventListener('visibilitychange', this.#onWake);
  }

  #open(): void {
    this.#signal('try');
    const index = transportOf(this.#state.failures, this.#worked, this.#transports.length);
    const transport = this.#transports[index] as Transport;
    const origin = this.#options.url ?? globalThis.location.origin;
    this.#link = transport.open(origin, this.#options.operation(), {
      acknowledged: () => {
        this.#signal('acknowledged');
        this.#heardAt = Date.now();
        this.#watch(transport.quietAfterMs);
      },
      heard: () => {
        this.#heardAt = Date.now();
        if (this.#state.phase === 'silent') this.#signal('heard');
      },
      next: (result) => {
        this.#worked = index;
        this.#take(result);
      },
      ended: (error) => this.#onEnd(error),
    });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#giveUp(), ANSWER_MS);
  }

  /** Suspects the connection where nothing was heard for so long, and gives it up after as long again. */
  #watch(quietAfterMs: number): void {
    clearTimeout(this.#timer);
    const quietFor = Date.now() - this.#heardAt;
    if (quietFor >= 2 * quietAfterMs) return this.#giveUp();
    if (quietFor >= quietAfterMs) this.#signal('quiet');
    const next = quietFor >= quietAfterMs ? 2 * quietAfterMs : quietAfterMs;
    this.#timer = setTimeout(() => this.#watch(quietAfterMs), next - quietFor);
  }

  #take(result: Result): void {
    try {
      this.#signal(this.#options.next(dataOf(result) as Data));
    } catch (error) {
      // What went wrong here is told; what the server says now and then (it is starting, it is going) is not.
      if (!(error instanceof GraphQLProblem)) this.#options.onError?.(error as Error);
      this.#onEnd(error as Error);
    }
  }

  #onEnd(error: Error): void {
    this.#drop();
    const refused = error instanceof GraphQLProblem && FOR_GOOD.has(error.code ?? '');
    this.#signal(refused ? 'refused' : 'lost');
    if (refused) return this.#options.onError?.(error);
    this.#timer = setTimeout(() => this.#open(), delayOf(this.#state.failures, Math.random()));
  }

  #giveUp(): void {
    this.#link?.abandon();
    this.#onEnd(new Error('The server does not answer'));
  }

  #drop(): void {
    clearTimeout(this.#timer);
    this.#link?.close();
    this.#link = undefined;
  }

  /** The network is back, or a person looks again: not the moment to sit out a delay. */
  readonly #onWake = (): void => {
    this.#tell();
    if (this.#state.phase === 'waiting' && !globalThis.document?.hidden) {
      clearTimeout(this.#timer);
      this.#open();
    }
  };

  #signal(signal: Signal): void {
    const before = this.#state;
    this.#state = after(before, signal);
    if (this.#state !== before) this.#tell();
  }

  readonly #tell = (): void => {
    this.#options.onState?.(badge(this.#state, globalThis.navigator?.onLine !== false), this.#state.failures);
  };
}
