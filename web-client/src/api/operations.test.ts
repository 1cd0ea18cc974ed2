import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { generate } from '../../build/operations.ts';

const SCHEMA = new URL('../../../schema.graphql', import.meta.url).pathname;
const HERE = new URL('.', import.meta.url).pathname;

// City Live's are a file of their own, so that the map's page does not load them.
test.each([
  ['operations.graphql', 'operations.ts'],
  ['cityLive.graphql', 'cityLiveOperations.ts'],
])('%s and the schema give %s', async (operationsFile, generatedFile) => {
  const [schema, operations] = await Promise.all([readFile(SCHEMA, 'utf8'), readFile(`${HERE}${operationsFile}`, 'utf8')]);
  const generated = await generate(schema, operations, operationsFile);
  if (process.env['UPDATE_OPERATIONS']) await writeFile(`${HERE}${generatedFile}`, generated);
  expect(await readFile(`${HERE}${generatedFile}`, 'utf8'), 'run `npm run generate`').toBe(generated);
});
