import { afterEach, describe, expect, test, vi } from 'vitest';
import { execute, run } from './graphql.ts';
import { RemoveEntityDocument } from './operations.ts';
import { fetchReadiness } from './readiness.ts';
import { entity, mayChange, search } from './requests.ts';

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

describe('run', () => {
  test('gives the data', async () => {
    const asked = answer('{"data": {"removeEntity": {"removed": true}}}');
    expect(await run(RemoveEntityDocument, { id: 'bus/1' }, { url: 'http://city', token: 't' })).toEqual({ removeEntity: { removed: true } });
    const [url, init] = asked.mock.calls[0] ?? [];
    expect(url).toBe('http://city/graphql');
    expect(new Headers(init?.headers).get('authorization')).toBe('Bearer t');
    expect(JSON.parse(String(init?.body))).toEqual({ query: RemoveEntityDocument, variables: { id: 'bus/1' } });
  });

  test('fails with the words of the server and its code', async () => {
    answer('{"data": null, "errors": [{"message": "the city is not loaded yet", "extensions": {"code": "UNAVAILABLE"}}]}');
    const failed = run(RemoveEntityDocument, { id: 'bus/1' });
    await expect(failed).rejects.toThrow('the city is not loaded yet');
    await expect(failed).rejects.toMatchObject({ name: 'GraphQLProblem', code: 'UNAVAILABLE' });
    answer('{"data": null}');
    await expect(run(RemoveEntityDocument, { id: 'bus/1' })).rejects.toThrow('without data');
  });
});

describe('an operator', () => {
  test.each([
    ['BAD_USER_INPUT', true],
    ['UNAUTHENTICATED', false],
    ['FORBIDDEN', false],
  ])('that is answered %s when it removes what is no id: may change the city is %s', async (code, may) => {
    const asked = answer(JSON.stringify({ errors: [{ message: code, extensions: { code } }] }));
    expect(await mayChange()).toBe(may);
    expect(JSON.parse(String(asked.mock.calls[0]?.[1]?.body)).variables).toEqual({ id: '' });
  });
});

describe('search', () => {
  const found = [
    { id: 'edge/e1', kind: 'EDGE', districtId: 'd', edgeId: 'e1', roadName: 'Via Roma', class: 'primary', coordinates: [[13, 42], [13.1, 42.1], [13.2, 42.2]] },
    { id: 'bus/1', kind: 'BUS', busId: '1', currentLocation: null },
    { id: 'district/d', kind: 'DISTRICT', districtId: 'd', districtName: 'D', area: { latitude: 42, longitude: 13 } },
  ];

  test('gives what a list needs', async () => {
    answer(JSON.stringify({ data: { search: found } }));
    expect(await search('x')).toEqual([
      { id: 'edge/e1', kind: 'EDGE', ownId: 'e1', name: 'Via Roma', type: 'primary', districtId: 'd', position: { latitude: 42.1, longitude: 13.1 } },
      { id: 'bus/1', kind: 'BUS', ownId: '1', name: null, type: null, districtId: null, position: null },
      { id: 'district/d', kind: 'DISTRICT', ownId: 'd', name: 'D', type: null, districtId: 'd', position: { latitude: 42, longitude: 13 } },
    ]);
  });

  test('finds one by its global id among those that are called alike', async () => {
    const asked = answer(JSON.stringify({ data: { search: [{ ...found[1], id: 'bus/11' }, found[1]] } }));
    expect(await entity('bus/1')).toMatchObject({ id: 'bus/1' });
    expect(JSON.parse(String(asked.mock.calls[0]?.[1]?.body)).variables).toEqual({ text: '1', kinds: ['BUS'], first: 100 });
    expect(await entity('bus/2')).toBeNull();
  });
});
