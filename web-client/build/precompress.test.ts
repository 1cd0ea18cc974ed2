import { randomBytes } from 'node:crypto';
import { mkdtemp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compressFolder } from './precompress.ts';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'precompress-'));
  await mkdir(join(folder, 'assets'));
});

afterEach(() => rm(folder, { recursive: true }));

test('compresses in all folders what gets smaller, and nothing else', async () => {
  const script = 'let city = "twin";\n'.repeat(500);
  await writeFile(join(folder, 'assets/a.js'), script);
  await writeFile(join(folder, 'assets/picture.png'), script);
  await writeFile(join(folder, 'assets/noise.json'), randomBytes(4096));
  await writeFile(join(folder, 'small.html'), '<p>small</p>');

  await compressFolder(folder);

  expect((await readdir(folder)).toSorted()).toEqual(['assets', 'small.html']);
  const assets = await readdir(join(folder, 'assets'));
  expect(assets.toSorted()).toEqual(['a.js', 'a.js.br', 'a.js.gz', 'noise.json', 'picture.png']);
  expect(brotliDecompressSync(await readFile(join(folder, 'assets/a.js.br'))).toString()).toBe(script);
  expect(gunzipSync(await readFile(join(folder, 'assets/a.js.gz'))).toString()).toBe(script);
});
