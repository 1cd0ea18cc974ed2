import { describe, expect, test } from 'vitest';
import { History, HISTORY_MS } from './history.ts';

const START = 1_800_000_000_000;

describe('a history', () => {
  test('knows when it began and what came', () => {
    const history = new History();
    expect(history.of('bus/1')).toBeUndefined();
    history.record('bus/1', START, [10, 1]);
    history.record('bus/1', START + 5000, [20, Number.NaN]);
    expect(history.of('bus/1')).toMatchObject({ since: START, times: [START, START + 5000], values: [[10, 20], [1, Number.NaN]] });
  });

  test('keeps the last of what comes closely, and the first of all', () => {
    const history = new History();
    for (let i = 0; i < 20; i += 1) history.record('bus/1', START + i * 100, [i]);
    const series = history.of('bus/1');
    expect(series?.times).toEqual([START, START + 1900]);
    expect(series?.values).toEqual([[0, 19]]);
  });

  test('reaches back 15 minutes and is bounded', () => {
    const history = new History();
    const hour = 60 * 60_000;
    for (let at = 0; at <= hour; at += 250) history.record('bus/1', START + at, [at]);
    const series = history.of('bus/1');
    expect(series?.times.length).toBeLessThan(600);
    expect(series?.since).toBeGreaterThan(START + hour - 2 * HISTORY_MS);
    expect(series?.times[0]).toBe(series?.since);
    expect(series?.times.at(-1)).toBe(START + hour);
    expect(series?.values[0]?.length).toBe(series?.times.length);
  });

  test('has room for so many, of which the longest silent goes first, but never a pinned one', () => {
    const history = new History();
    history.pin('sensor/a/0');
    for (let i = 0; i < 2500; i += 1) history.record(`sensor/a/${i}`, START, [i]);
    history.record('sensor/a/1', START + 5000, [1]);
    history.record('sensor/a/new', START + 5000, [1]);
    expect(history.of('sensor/a/0')).toBeDefined();
    expect(history.of('sensor/a/1')).toBeDefined();
    expect(history.of('sensor/a/2')).toBeUndefined();
    expect(history.of('sensor/a/new')).toBeDefined();
  });
});
