/** One GraphQL operation as it goes over the wire. */
export interface Operation {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Record<string, unknown> | null | undefined;
}

/** The text of an operation, with the types of its data and its variables. */
export type TypedDocument<Data, Variables> = string & { readonly types?: (variables: Variables) => Data };

/** One of a result's errors. */
export interface Problem {
  readonly message: string;
  readonly extensions?: { readonly code?: string };
}

/** What a GraphQL server answers (GraphQL specification, section 7). */
export interface Result<Data = unknown> {
  readonly data?: Data | null;
  readonly errors?: readonly Problem[];
  readonly extensions?: Record<string, unknown>;
}

/** How a request to the server is made. */
export interface RequestOptions {
  /** The server's origin, such as `https://city.example`; that of the page where it is absent. */
  readonly url?: string | undefined;
  /** The operator's token. Only what changes the city needs one. */
  readonly token?: string | null | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What the server said against an operation. */
export class GraphQLProblem extends Error {
  /** `extensions.code` of the first error, such as `BAD_USER_INPUT`. */
  readonly code: string | undefined;

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ message }) => message).join('\n'));
    this.name = 'GraphQLProblem';
    this.code = problems[0]?.extensions?.code;
  }
}

/**
 * Sends a query or a mutation to `/graphql`, here or at another origin.
 *
 * Rejects where the server cannot be reached or its answer is no GraphQL result; errors of the operation itself
 * are in the result.
 */
export async function execute<Data>(operation: Operation, init: RequestInit = {}, origin = ''): Promise<Result<Data>> {
  const headers = new Headers(init.headers);
  headers.set('content-type', 'application/json');
  headers.set('accept', 'application/graphql-response+json, application/json;q=0.9');
  const response = await fetch(`${origin}/graphql`, { ...init, method: 'POST', headers, body: JSON.stringify(operation) });
  const result = parseJson(await response.text());
  if (!isResult(result)) throw new Error(`/graphql answered ${describeStatus(response)}`);
  return result as Result<Data>;
}

/** Runs a query or a mutation. Rejects with a `GraphQLProblem` where the server has any error to tell. */
export async function run<Data, Variables extends Record<string, unknown>>(
  document: TypedDocument<Data, Variables>,
  variables: Variables,
  { url, token, signal }: RequestOptions = {},
): Promise<Data> {
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const result = await execute<Data>({ query: document, variables }, { headers, ...(signal && { signal }) }, url);
  return dataOf(result);
}

/** The data of a result that has no errors. */
export function dataOf<Data>(result: Result<Data>): Data {
  if (result.errors?.length) throw new GraphQLProblem(result.errors);
  if (result.data === undefined || result.data === null) throw new Error('/graphql answered without data');
  return result.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isResult(value: unknown): value is Result {
  return typeof value === 'object' && value !== null && ('data' in value || 'errors' in value);
}

/** A status as a person reads it: HTTP/2 has no reason phrases, so there the number stands alone. */
export function describeStatus(response: { status: number; statusText: string }): string {
  return [response.status, response.statusText].filter(Boolean).join(' ');
}
