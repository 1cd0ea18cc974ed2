import { afterEach, describe, expect, test, vi } from 'vitest';
import { execute } from './graphql.ts';
import { fetchReadiness } from './readiness.ts';

/** Answers the next `fetch` with this response, and tells what was asked. */
function answer(body: string, status = 200) {
  const asked = vi.fn<typeof fetch>(async () => new Response(body, { status }));
  vi.stubGlobal('fetch', asked);
  return asked;
}

const never = new AbortController().signal;

afterEach(() => vi.unstubAllGlobals());

describe('execute', () => {
  test('posts the operation as JSON with the headers given', async () => {
    const asked = answer('{"data": {"a": 1}}');
    const operation = { query: 'query Q { a }', operationName: 'Q', variables: { v: 1 } };
    expect(await execute(operation, { headers: { Authorization: 'Bearer t' } })).toEqual({ data: { a: 1 } });
    const [url, init] = asked.mock.calls[0] ?? [];
    expect(url).toBe('/graphql');
    expect(init?.method).toBe('POST');
    expect(JSON.parse(String(init?.body))).toEqual(operation);
    const headers = new Headers(init?.headers);
    expect(headers.get('authorization')).toBe('Bearer t');
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('accept')).toMatch(/^application\/graphql-response\+json,/);
  });

  test('returns the errors of the operation, whatever the status', async () => {
    answer('{"errors": [{"message": "no"}]}', 400);
    expect(await execute({ query: '{' })).toEqual({ errors: [{ message: 'no' }] });
  });

  test.each(['', 'Bad Gateway', '[]', 'null', '{"ready": false}'])('rejects %j, which is no GraphQL result', async (body) => {
    answer(body, 502);
    await expect(execute({ query: '{ a }' })).rejects.toThrow('/graphql answered 502');
  });
});

describe('readiness', () => {
  const body = { ready: false, role: 'replica', epoch: 3, degraded: [] };

  test('is the same body with 200 and 503', async () => {
    answer(JSON.stringify(body), 503);
    expect(await fetchReadiness(never)).toEqual(body);
  });

  test.each(['', '<html>', '{}', 'null'])('%j is none', async (text) => {
    answer(text, 502);
    await expect(fetchReadiness(never)).rejects.toThrow('/readyz answered 502');
  });
});
