// Reads brotli in base64 from the standard input and prints what it holds.
import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';

process.stdout.write(brotliDecompressSync(Buffer.from(readFileSync(0, 'utf8'), 'base64')));
