// Images of an instrument, for the page to hand on.
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';

// An image as its author makes it: signed, with a schema of every kind that a form shows, and one that it does not.
export async function build(world, version, manifest) {
  const folder = join(world.folder, 'images', version);
  mkdirSync(join(folder, 'recorder'), {recursive: true});
  writeFileSync(join(folder, 'recorder', 'manifest.yaml'), manifest.replace('VERSION', version));
  writeFileSync(join(folder, 'recorder', 'run'), `#!/bin/sh\n# ${version}\nexec sleep 1000\n`, {mode: 0o755});
  const run = promisify(execFile);
  if (!world.key) {
    world.key = join(world.folder, 'publisher');
    await run(world.beaconry, ['instrument', 'keygen', 'publisher'], {cwd: world.folder});
  }
  const {stdout} = await run(world.beaconry, ['instrument', 'build', 'recorder', '--key', `${world.key}.key`, '--output', '.', '--json'], {cwd: folder});
  const path = join(folder, `recorder_${version}.instrument`);
  return {path, signature: `${path}.minisig`, sha256: /[0-9a-f]{64}/.exec(stdout)[0]};
}
export const kManifest = `name: recorder
version: "VERSION"
description: Records traffic into capture files
command: [run]
interfaces:
  - {name: mirror, contract: rx, words: whose traffic is recorded; nothing leaves by it}
capabilities: [net_raw]
limits: {memory: 64M, persistent: 64M}
config:
  schema:
    type: object
    additionalProperties: false
    required: [snaplen]
    properties:
      filter: {description: "What is recorded, as pcap-filter(7) says", type: string, maxLength: 200}
      snaplen: {description: Bytes of each packet that are kept, type: integer, minimum: 64, maximum: 262144, default: 65535}
      compress: {type: boolean, default: true}
      rotate: {enum: [hourly, daily], default: daily}
      networks: {type: array, maxItems: 4, items: {type: string, pattern: "^[0-9./]+$"}}
      upload: {type: object, additionalProperties: false, required: [url], properties: {url: {type: string, pattern: "^https://"}, password: {type: string, writeOnly: true}}}
      match: {description: A port or a name, oneOf: [{type: integer}, {type: string}]}
  defaults: {snaplen: 65535}
`;

// The first octets of it, as an upload leaves them that broke off.
export async function begin(world, image, octets) {
  const put = await fetch(`${world.url}/api/v1/fleet/images/${image.sha256}?offset=0`, {method: 'PUT',
    body: readFileSync(image.path).subarray(0, octets),
    headers: {authorization: `Bearer ${world.token}`, 'content-type': 'application/octet-stream'}});
  assert.ok(put.ok, `upload: ${put.status}`);
  return (await put.json()).have;
}
export async function upload(world, image) {
  await begin(world, image);
  await world.ask('POST', `/fleet/images/${image.sha256}/complete`, {signature: readFileSync(image.signature, 'utf8')});
}
