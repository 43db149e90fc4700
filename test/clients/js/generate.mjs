// Generates a typed client from the server's $metadata with odata2ts, and has the TypeScript compiler accept it. OUT is an
// empty folder.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const { SYNCPAYLOADS_URL: url, OUT: out } = process.env;
const metadata = await fetch(`${url}/beta/$metadata`).then((r) => r.text());
const source = join(out, 'metadata.xml');
writeFileSync(source, metadata);
symlinkSync(resolve('node_modules'), join(out, 'node_modules'));
writeFileSync(join(out, 'tsconfig.json'), JSON.stringify({ compilerOptions: { target: 'es2022', module: 'commonjs' } }));
const generated = join(out, 'generated');
mkdirSync(generated);

const run = (program, ...args) => execFileSync(process.execPath, [resolve(program), ...args], { cwd: out, encoding: 'utf8' });
run('node_modules/@odata2ts/odata2ts/lib/run-cli.js', '--source', source, '--output', generated, '--mode', 'models', '--emit-mode', 'ts', '--service-name', 'graph');

const models = readFileSync(join(generated, 'graphModel.ts'), 'utf8');
for (const expected of ['interface syncPayloadsActionResult extends deviceActionResult',
  'interface changeAssignmentsActionResult extends deviceActionResult',
  'enum deviceActionPayloadStatus', 'interface managedDevice']) {
  assert.ok(models.includes(expected), `the generated models have no ${expected}`);
}
run('node_modules/typescript/bin/tsc', '--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--moduleResolution', 'node',
  join(generated, 'graphModel.ts'));
console.log('ok');
