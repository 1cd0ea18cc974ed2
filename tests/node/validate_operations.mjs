// Validates GraphQL operations against a schema: node validate_operations.mjs SCHEMA OPERATION…
// Prints one JSON line, `{operations, errors}`; the exit code is 1 where there is any error.
import { readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';

const [schemaFile, ...files] = process.argv.slice(2);
const schema = buildSchema(readFileSync(schemaFile, 'utf8'));
const errors = files.flatMap((file) =>
  validate(schema, parse(readFileSync(file, 'utf8'))).map((error) => `${file}: ${error.message}`),
);
console.log(JSON.stringify({ operations: files.length, errors }));
process.exitCode = errors.length ? 1 : 0;
