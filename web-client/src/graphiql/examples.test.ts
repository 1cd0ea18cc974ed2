import { readdirSync, readFileSync } from 'node:fs';
import { buildSchema, Kind, type OperationDefinitionNode, parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { EXAMPLES } from './examples.ts';
import { isSubscription } from './fetcher.ts';

const schema = buildSchema(readFileSync(new URL('../../../schema.graphql', import.meta.url), 'utf8'));
const operations = EXAMPLES.map(({ query }) => parse(query).definitions);

describe('the examples', () => {
  test('are all the files of the folder', () => {
    expect(EXAMPLES).toHaveLength(readdirSync(new URL('examples', import.meta.url)).length);
  });

  test('hold one named operation each, under a comment', () => {
    for (const [index, definitions] of operations.entries()) {
      expect(definitions).toHaveLength(1);
      expect(definitions[0]?.kind).toBe(Kind.OPERATION_DEFINITION);
      expect((definitions[0] as OperationDefinitionNode).name?.value).toMatch(/^[A-Z]/);
      expect(EXAMPLES[index]?.query).toMatch(/^# /);
    }
  });

  test('are valid against schema.graphql', () => {
    for (const { query } of EXAMPLES) {
      expect(validate(schema, parse(query)).map((error) => error.message), query).toEqual([]);
    }
  });

  test('have names of their own, which become the titles of the tabs', () => {
    const names = operations.map(([operation]) => (operation as OperationDefinitionNode).name?.value);
    expect(new Set(names).size).toBe(names.length);
  });
});

test('a subscription is told from the operation that would run', () => {
  const document = parse('query Q { a } subscription S { b }');
  expect(isSubscription(document, 'S')).toBe(true);
  expect(isSubscription(document, 'Q')).toBe(false);
  expect(isSubscription(document)).toBe(false);
  expect(isSubscription(parse('subscription { b }'))).toBe(true);
  expect(isSubscription(undefined)).toBe(false);
});
