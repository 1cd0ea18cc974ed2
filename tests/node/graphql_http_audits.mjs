// Runs all audits of npm graphql-http against a server: node graphql_http_audits.mjs http://127.0.0.1:8080/graphql
// Prints a JSON report; exits with 1 if any of them is not `ok`, be it a MUST, SHOULD or MAY.
import { serverAudits } from 'graphql-http';

const url = process.argv[2];
const results = [];
for (const audit of serverAudits({ url, fetchFn: fetch })) {
  const result = await audit.fn();
  results.push({ id: audit.id, name: audit.name, status: result.status, reason: result.reason });
}
const failed = results.filter((result) => result.status !== 'ok');
console.log(JSON.stringify({ audits: results.length, ok: results.length - failed.length, failed }, null, 2));
process.exit(failed.length === 0 && results.length >= 61 ? 0 : 1);
