// Uses @microsoft/microsoft-graph-client as admins' scripts do, against the server that the environment names:
// SYNCPAYLOADS_URL, SYNCPAYLOADS_TOKEN, and its CA in NODE_EXTRA_CA_CERTS. DEVICE is a phone with three payloads at least,
// DEVICES how many there are.
import assert from 'node:assert/strict';
import { BatchRequestContent, BatchResponseContent, Client, GraphError, PageIterator } from '@microsoft/microsoft-graph-client';

const { SYNCPAYLOADS_URL: url, SYNCPAYLOADS_TOKEN: token, DEVICE: device, DEVICES: total } = process.env;
const graph = Client.init({
  baseUrl: `${url}/`,
  defaultVersion: 'beta',
  customHosts: new Set([new URL(url).hostname]),
  authProvider: (done) => done(null, token),
});
const devices = '/deviceManagement/managedDevices';
const one = `${devices}/${device}`;

// Paging: every device once, over pages of three.
const seen = new Set();
const first = await graph.api(devices).select('id,deviceName').orderby('deviceName').top(3).count(true).get();
assert.equal(first['@odata.count'], Number(total));
await new PageIterator(graph, first, (d) => {
  assert.ok(!seen.has(d.id), `${d.deviceName} comes twice`);
  seen.add(d.id);
  return true;
}).iterate();
assert.equal(seen.size, Number(total));

// The action, as Graph's reference shows it: with the read-only properties filled in.
const assigned = await graph.api(`${url}/api/devices/${device}/payloads`).get();
const set = assigned.value.slice(0, 2).map((p) => ({
  '@odata.type': 'microsoft.graph.deviceActionPayload',
  payloadId: p.id,
  payloadType: p.type,
  displayName: p.displayName,
  intent: 'remove',
  status: 'inProgress',
  detail: 'x',
  errorCode: 0,
  lastModifiedDateTime: new Date().toISOString(),
}));
assert.equal(await ends('syncPayloads', { deviceActionPayloads: set }), 'removed,removed');
assert.equal(await ends('syncPayloads', { deviceActionPayloads: [] }), 'succeeded,succeeded');

// ends runs the action and returns how its payloads ended, read as scripts do: by polling the device.
async function ends(action, body) {
  await graph.api(`${one}/${action}`).post(body);
  for (;;) {
    const { deviceActionResults } = await graph.api(one).version('v1.0').select('id,deviceActionResults').get();
    const result = deviceActionResults.find((r) => r.actionName === action);
    if (!['pending', 'active'].includes(result.actionState)) {
      assert.equal(result.actionState, 'done');
      return result.deviceActionPayloads.map((p) => p.status).join();
    }
  }
}

// A batch: reading twice, an error, and what depends on it.
const batch = new BatchRequestContent();
batch.addRequest({ id: '1', request: new Request(`${url}/beta${one}?$select=id`, { method: 'GET' }) });
batch.addRequest({ id: '2', request: new Request(`${url}/beta${devices}/none`, { method: 'GET' }) });
batch.addRequest({
  id: '3',
  request: new Request(`${url}/beta${one}/syncPayloads`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ deviceActionPayloads: [] }),
  }),
});
const answers = new BatchResponseContent(await graph.api('/$batch').post(await batch.getContent()));
assert.equal((await answers.getResponseById('1').json()).id, device);
assert.equal(answers.getResponseById('2').status, 404);
assert.equal(answers.getResponseById('3').status, 204);

// Errors are GraphErrors with code and request id.
const bad = await graph
  .api(`${one}/syncPayloads`)
  .header('client-request-id', 'c0ffee00-0000-4000-8000-000000000000')
  .post({ deviceActionPayloads: [{ payloadId: 'x', payloadType: 'application' }] })
  .then(() => assert.fail('a payload that is not assigned was accepted'), (e) => e);
assert.ok(bad instanceof GraphError);
assert.deepEqual([bad.statusCode, bad.code, JSON.parse(bad.body).innerError['client-request-id']],
  [400, 'BadRequest', 'c0ffee00-0000-4000-8000-000000000000']);
assert.match(bad.requestId, /^[0-9a-f-]{36}$/);

// Past the limit of its token the client is told to wait, waits, and gets every answer.
const many = await Promise.all(Array.from({ length: Number(process.env.BURST) }, () => graph.api(one).select('id').get()));
assert.ok(many.every((d) => d.id === device));

console.log('ok');
