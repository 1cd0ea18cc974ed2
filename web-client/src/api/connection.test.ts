import { describe, expect, test } from 'vitest';
import { after, badge, delayOf, OFFLINE_AFTER, type Phase, type Signal, START, type State, transportOf } from './connection.ts';

const PHASES: readonly Phase[] = ['waiting', 'opening', 'catching-up', 'live', 'silent', 'refused'];

// Rows are signals, columns the phases above; a dot is a signal that changes nothing there.
const TABLE: Readonly<Record<Signal, string>> = {
  //             waiting  opening      catching-up  live         silent       refused
  try: '         opening  .            .            .            .            opening',
  acknowledged: '.        catching-up  .            .            .            .      ',
  heard: '       .        .            .            .            live         .      ',
  behind: '      .        .            .            catching-up  catching-up  .      ',
  complete: '    .        .            live         .            live         .      ',
  quiet: '       .        .            .            silent       .            .      ',
  lost: '        .        waiting      waiting      waiting      waiting      .      ',
  refused: '     .        refused      refused      refused      refused      .      ',
};

const at = (phase: Phase): State => ({ phase, failures: 2, held: true });

describe.each(Object.entries(TABLE) as [Signal, string][])('%s', (signal, row) => {
  const goals = row.trim().split(/\s+/);
  test.each(PHASES.map((phase, column) => [phase, goals[column] as Phase | '.'] as const))('in %s: %s', (phase, goal) => {
    const state = at(phase);
    const next = after(state, signal);
    if (goal === '.') expect(next).toBe(state);
    else expect(next.phase).toBe(goal);
  });
});

test('failures count until all is there again', () => {
  const lostTwice = (['try', 'lost', 'try', 'acknowledged', 'lost'] as const).reduce(after, START);
  expect(lostTwice).toEqual({ phase: 'waiting', failures: 2, held: false });
  const there = (['try', 'acknowledged', 'complete'] as const).reduce(after, lostTwice);
  expect(there).toEqual({ phase: 'live', failures: 0, held: true });
  expect(after(there, 'lost')).toEqual({ phase: 'waiting', failures: 1, held: true });
});

test.each([
  [{ phase: 'waiting', failures: 0, held: false }, true, 'connecting'],
  [{ phase: 'opening', failures: 1, held: false }, true, 'connecting'],
  [{ phase: 'opening', failures: 1, held: true }, true, 'stale'],
  [{ phase: 'waiting', failures: OFFLINE_AFTER, held: true }, true, 'offline'],
  [{ phase: 'waiting', failures: 1, held: true }, false, 'offline'],
  [{ phase: 'catching-up', failures: 1, held: true }, true, 'catching-up'],
  [{ phase: 'live', failures: 0, held: true }, true, 'live'],
  [{ phase: 'silent', failures: 0, held: true }, true, 'stale'],
  [{ phase: 'refused', failures: 0, held: true }, true, 'offline'],
] as const)('%j with network %s is shown as %s', (state, hasNetwork, shown) => {
  expect(badge(state, hasNetwork)).toBe(shown);
});

test('the delays grow, have an end, and are not the same for all', () => {
  expect([1, 2, 3, 4, 5, 30].map((failures) => delayOf(failures, 0))).toEqual([250, 500, 1000, 2000, 2000, 2000]);
  expect(delayOf(31, 0)).toBe(10_000);
  expect(delayOf(3, 0.5)).toBe(750);
  expect(delayOf(1000, 0.99)).toBeGreaterThan(5000);
});

const row = (worked: number | undefined) => [0, 1, 2, 3, 4, 5, 6, 7].map((failures) => transportOf(failures, worked, 2));

test('transports take turns until one works, which is then left only now and then', () => {
  expect(row(undefined)).toEqual([0, 1, 0, 1, 0, 1, 0, 1]);
  expect(row(0)).toEqual([0, 0, 0, 1, 0, 0, 0, 1]);
  expect(row(1)).toEqual([1, 1, 1, 0, 1, 1, 1, 0]);
  expect(transportOf(3, 0, 1)).toBe(0);
});
