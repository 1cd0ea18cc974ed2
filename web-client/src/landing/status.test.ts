import { describe, expect, test } from 'vitest';
import type { Readiness } from '../api/readiness.ts';
import { formatCount, statusOf } from './status.ts';
import { problemOf } from './usePolled.ts';

const writer: Readiness = { ready: true, role: 'writer', epoch: 7, degraded: [] };

describe('the status', () => {
  test('is waiting until the server has answered', () => {
    expect(statusOf(undefined, undefined)).toMatchObject({ tone: 'waiting', label: 'Asking' });
  });

  test('says what role a ready instance has', () => {
    expect(statusOf(writer, undefined)).toMatchObject({ tone: 'good', label: 'Ready' });
    expect(statusOf(writer, undefined).detail).toContain('writes');
    expect(statusOf({ ...writer, role: 'replica' }, undefined).detail).toContain('replica');
  });

  test('is waiting while the server is not ready', () => {
    expect(statusOf({ ...writer, ready: false }, undefined)).toMatchObject({ tone: 'waiting', label: 'Starting' });
  });

  test('shows that something is degraded', () => {
    const degraded = [{ what: 'mongodb', state: 'down', since: '2026-01-05T00:00:00.000Z', message: 'refused' }] as const;
    expect(statusOf({ ...writer, degraded }, undefined)).toMatchObject({ tone: 'waiting', label: 'Ready, with troubles' });
  });

  test('a failure wins over an older answer', () => {
    expect(statusOf(writer, 'the server cannot be reached')).toMatchObject({ tone: 'bad', label: 'Not reachable' });
  });
});

test('counts have separators', () => {
  expect(formatCount(1234567, 'en')).toBe('1,234,567');
  expect(formatCount(0, 'en')).toBe('0');
});

test('a failure is told in plain words', () => {
  expect(problemOf(new TypeError('Failed to fetch'))).toBe('the server cannot be reached');
  expect(problemOf(new DOMException('signal timed out', 'TimeoutError'))).toBe('the server takes long to answer');
  expect(problemOf(new Error('/graphql answered 503'))).toBe('/graphql answered 503');
});
