// Uses @googleapis/androidmanagement, Google's client for Node, against what stands for Google's service: ANDROID_URL with a
// trailing slash, a token in ANDROID_TOKEN, and PROJECT. Whoever runs this enrolls DEVICES devices when it asks for that by
// GET ANDROID_URL + "enroll?token=…", and uses up the quota by GET ANDROID_URL + "spend".
import assert from 'node:assert/strict';
import { androidmanagement, auth } from '@googleapis/androidmanagement';

const { ANDROID_URL: rootUrl, ANDROID_TOKEN: token, PROJECT: projectId, DEVICES: total } = process.env;
const credentials = new auth.OAuth2();
credentials.setCredentials({ access_token: token });
const { enterprises, signupUrls } = androidmanagement({ version: 'v1', rootUrl, auth: credentials, retry: false });

// Set-up: the sign-up page sends the admin back with a token.
const callbackUrl = 'https://mdm.example.com/callback';
const { data: signup } = await signupUrls.create({ projectId, callbackUrl });
const back = await fetch(signup.url, { redirect: 'manual' });
const enterpriseToken = new URL(back.headers.get('location')).searchParams.get('enterpriseToken');
const { data: enterprise } = await enterprises.create({
  projectId,
  signupUrlName: signup.name,
  enterpriseToken,
  requestBody: { enterpriseDisplayName: 'Example' },
});
assert.match(enterprise.name, /^enterprises\/LC/);

// A policy is the whole document, and 64-bit numbers are texts.
const name = `${enterprise.name}/policies/p`;
const patch = async (requestBody) => (await enterprises.policies.patch({ name, requestBody })).data;
const first = await patch({ cameraAccess: 'CAMERA_ACCESS_DISABLED', maximumTimeToLock: '60000' });
assert.equal(first.version, '1');
assert.equal(first.maximumTimeToLock, '60000');
const second = await patch({ statusReportingSettings: { applicationReportsEnabled: true } });
assert.equal(second.version, '2');
assert.equal(second.cameraAccess, undefined);

// What is wrong is refused, with the field's name.
const refused = async (call, code, text) =>
  assert.rejects(call, (e) => {
    assert.equal(Number(e.code), code);
    assert.match(e.message, text);
    return true;
  });
await refused(patch({ cameraAccess: 'OFF' }), 400, /policy\.camera_access/);
await refused(enterprises.policies.get({ name: `${enterprise.name}/policies/none` }), 404, /not found/);

// A token, and devices that it enrolled.
const { data: enrollment } = await enterprises.enrollmentTokens.create({
  parent: enterprise.name,
  requestBody: { policyName: 'p', allowPersonalUsage: 'PERSONAL_USAGE_DISALLOWED', duration: '3600s' },
});
const extras = JSON.parse(enrollment.qrCode)['android.app.extra.PROVISIONING_ADMIN_EXTRAS_BUNDLE'];
assert.equal(extras['com.google.android.apps.work.clouddpc.EXTRA_ENROLLMENT_TOKEN'], enrollment.value);
assert.equal((await fetch(`${rootUrl}enroll?token=${enrollment.value}`)).status, 204);

// Every device once, over pages of ten.
const seen = new Set();
for (let pageToken; ; ) {
  const { data } = await enterprises.devices.list({ parent: enterprise.name, pageToken });
  data.devices.forEach((d) => seen.add(d.name));
  assert.ok(data.devices.length <= 10);
  if (!(pageToken = data.nextPageToken)) break;
}
assert.equal(seen.size, Number(total));
const [one] = seen;
const { data: device } = await enterprises.devices.get({ name: one });
assert.equal(device.appliedPolicyVersion, '2');
assert.equal(device.policyName, name);
await refused(enterprises.devices.get({ name: `${enterprise.name}/devices/none` }), 404, /not found/);

// The quota.
assert.equal((await fetch(`${rootUrl}spend`)).status, 204);
await refused(enterprises.devices.get({ name: one }), 429, /Quota exceeded/);
console.log('ok');
