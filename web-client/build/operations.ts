import { codegen } from '@graphql-codegen/core';
import * as typescriptOperations from '@graphql-codegen/typescript-operations';
import { type DocumentNode, type OperationDefinitionNode, parse, print, separateOperations } from 'graphql';

const heading = (from: string) => `// Generated from ${from} and the repository's schema.graphql: \`npm run generate\`.
/* oxlint-disable */
import type { TypedDocument } from './graphql.ts';
`;

/** The TypeScript of these operations, which stand in the file `from`: the types of what goes in and comes back, and each document as text. */
export async function generate(schemaText: string, operationsText: string, from: string): Promise<string> {
  const operations = parse(operationsText);
  const types = await codegen({
    filename: 'operations.ts',
    schema: parse(schemaText),
    documents: [{ location: from, document: operations }],
    plugins: [{ operations: {} }],
    pluginMap: { operations: typescriptOperations },
    config: {
      scalars: { ID: 'string', DateTime: 'string', JSON: 'unknown' },
      immutableTypes: true,
      useTypeImports: true,
      skipTypename: true,
    },
  });
  return `${heading(from)}\n${types.trim()}\n\n${documents(operations)}`;
}

/** A constant for each operation, which holds just what it needs. */
function documents(operations: DocumentNode): string {
  const constants = Object.entries(separateOperations(operations)).map(([name, document]) => {
    const { operation } = document.definitions.find(
      (definition): definition is OperationDefinitionNode => definition.kind === 'OperationDefinition',
    ) as OperationDefinitionNode;
    const type = name + operation.charAt(0).toUpperCase() + operation.slice(1);
    return `export const ${name}Document = \`${print(document)}\` as TypedDocument<${type}, ${type}Variables>;\n`;
  });
  return constants.join('\n');
}
