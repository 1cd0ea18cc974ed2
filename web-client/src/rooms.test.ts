import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const SRC = new URL('.', import.meta.url).pathname;

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file))
  .map((file) => ({ file, text: readFileSync(join(SRC, file), 'utf8') }));

const withPattern = (pattern: RegExp, chosen: (file: string) => boolean) =>
  sources.filter(({ file, text }) => chosen(file) && pattern.test(text)).map(({ file }) => file);

const isApi = (file: string) => file.startsWith('api/');

test('only src/api talks to the server', () => {
  expect(withPattern(/\bfetch\(|new (WebSocket|EventSource|XMLHttpRequest)\b|from 'graphql-ws/, (file) => !isApi(file))).toEqual([]);
});

test('src/api knows neither React nor another room, so that any page can use it', () => {
  expect(withPattern(/from '(react|\.\.\/)/, isApi)).toEqual([]);
});
