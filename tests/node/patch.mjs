// Reads {state, delta} as JSON from the standard input and prints the state that the real jsondiffpatch makes of them.
import { readFileSync } from 'node:fs';
import { create } from 'jsondiffpatch';

const { state, delta } = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(create().patch(state, delta)));
