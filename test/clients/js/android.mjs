// Uses @microsoft/microsoft-graph-client to read an Android device and the results of its actions: SYNCPAYLOADS_URL,
// SYNCPAYLOADS_TOKEN, and the server's CA in NODE_EXTRA_CA_CERTS. DEVICE is a fully managed phone on which three payloads were
// taken off and put back, NAME its name.
import assert from 'node:assert/strict';
import { Client } from '@microsoft/microsoft-graph-client';

const { SYNCPAYLOADS_URL: url, SYNCPAYLOADS_TOKEN: token, DEVICE: device, NAME: name } = process.env;
const graph = Client.init({
  baseUrl: `${url}/`,
  defaultVersion: 'beta',
  customHosts: new Set([new URL(url).hostname]),
  authProvider: (done) => done(null, token),
});
const devices = '/deviceManagement/managedDevices';

const one = await graph.api(`${devices}/${device}`).get();
assert.equal(one.deviceName, name);
assert.equal(one.operatingSystem, 'Android');
assert.equal(one.deviceType, 'androidEnterprise');
assert.equal(one.managementAgent, 'googleCloudDevicePolicyController');
assert.equal(one.deviceEnrollmentType, 'androidEnterpriseFullyManaged');
assert.equal(one.managedDeviceOwnerType, 'company');

const found = await graph
  .api(devices)
  .filter("deviceEnrollmentType eq 'androidEnterpriseFullyManaged' and operatingSystem eq 'Android' and ownerType eq 'company'")
  .select('id,deviceName')
  .get();
assert.deepEqual(found.value.map((d) => d.id), [device]);

const { deviceActionResults: results } = await graph.api(`${devices}/${device}`).version('v1.0').select('deviceActionResults').get();
assert.equal(results.length, 1);
assert.equal(results[0].actionState, 'done');
assert.deepEqual(results[0].deviceActionPayloads.map((p) => `${p.intent} ${p.status} ${p.errorCode}`), Array(3).fill('restore succeeded 0'));

const states = await graph.api(`${devices}/${device}/deviceConfigurationStates`).get();
assert.deepEqual(states.value.map((s) => s.platformType), ['androidForWork', 'androidForWork']);
console.log('ok');
