/** One GraphQL operation as it goes over the wire. */
export interface Operation {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Record<string, unknown> | null | undefined;
}

/** What a GraphQL server answers (GraphQL specification, section 7). */
export interface Result<Data = unknown> {
  readonly data?: Data | null;
  readonly errors?: readonly { readonly message: string }[];
  readonly extensions?: Record<string, unknown>;
}

/**
 * Sends a query or a mutation to `/graphql`.
 *
 * Rejects where the server cannot be reached or its answer is no GraphQL result; errors of the operation itself
 * are in the result.
 */
export async function execute<Data>(operation: Operation, init: RequestInit = {}): Promise<Result<Data>> {
  const headers = new Headers(init.headers);
  headers.set('content-type', 'application/json');
  headers.set('accept', 'application/graphql-response+json, application/json;q=0.9');
  const response = await fetch('/graphql', { ...init, method: 'POST', headers, body: JSON.stringify(operation) });
  const result = parseJson(await response.text());
  if (!isResult(result)) throw new Error(`/graphql answered ${describeStatus(response)}`);
  return result as Result<Data>;
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
