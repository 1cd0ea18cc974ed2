import { expect, test } from 'vitest';
import { describeError, socketUrl } from './subscriptions.ts';

test('the socket is on the server of the page, and secure where the page is', () => {
  expect(socketUrl({ protocol: 'http:', host: '127.0.0.1:8080' })).toBe('ws://127.0.0.1:8080/graphql/ws');
  expect(socketUrl({ protocol: 'https:', host: 'city.example' })).toBe('wss://city.example/graphql/ws');
});

test('whatever ends a subscription is told in words', () => {
  const error = new Error('as it is');
  expect(describeError(error)).toBe(error);
  expect(describeError([{ message: 'one' }, { message: 'two' }]).message).toBe('one\ntwo');
  expect(describeError({ code: 4403, reason: 'Forbidden' }).message).toBe('The socket was closed with 4403: Forbidden');
  expect(describeError({ code: 1006, reason: '' }).message).toBe('The socket was closed with 1006');
  expect(describeError({ type: 'error' }).message).toBe('The socket could not be opened');
});
