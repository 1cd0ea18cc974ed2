import type { Fetcher } from '@graphiql/toolkit';
import { type DocumentNode, getOperationAST } from 'graphql';
import { execute } from '../api/graphql.ts';
import { type Observer, subscribe } from '../api/subscriptions.ts';

/** GraphiQL's way to the server: subscriptions over the socket, all else over HTTP, both with the tab's headers. */
export const fetcher: Fetcher = (operation, options) => {
  const headers: Record<string, string> = options?.headers ?? {};
  if (isSubscription(options?.documentAST, operation.operationName)) {
    // GraphiQL always gives an observer; its type also allows for the older form with three functions.
    return { subscribe: (observer) => subscribe(operation, observer as Observer, headers) };
  }
  return execute(operation, { headers }) as ReturnType<Fetcher>;
};

/** Whether the operation that would run is a subscription; a document may hold several. */
export function isSubscription(document: DocumentNode | undefined, operationName?: string | null): boolean {
  return document !== undefined && getOperationAST(document, operationName)?.operation === 'subscription';
}
