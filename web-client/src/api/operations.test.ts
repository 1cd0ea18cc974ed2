import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { generate } from '../../build/operations.ts';

const SCHEMA = new URL('../../../schema.graphql', import.meta.url).pathname;
const HERE = new URL('.', import.meta.url).pathname;

test('operations.ts is what operations.graphql and the schema give', async () => {
  const [schema, operations] = await Promise.all([readFile(SCHEMA, 'utf8'), readFile(`${HERE}operations.graphql`, 'utf8')]);
  const generated = await generate(schema, operations);
  if (process.env['UPDATE_OPERATIONS']) await writeFile(`${HERE}operations.ts`, generated);
  expect(await readFile(`${HERE}operations.ts`, 'utf8'), 'run `npm run generate`').toBe(generated);
});
