import { randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../free-ports.ts'
import { pythonOf, runUnpacked, type UnpackedPackages } from './debian-packages.ts'
import { type S3Server, startLeashed, waitForPort } from './s3-server.ts'

/** What Debian calls the parts of Ceph that serve S3. */
export const cephPackageNames: readonly string[] = [
  'radosgw',
  'ceph-mon',
  'ceph-osd',
  'ceph-common',
]

const startTimeoutMs = 90_000
const [accessKeyId, secretAccessKey] = ['varve', 'varve-secret']

/**
 * Starts Ceph's S3 gateway on a cluster of its own: one monitor, and one storage daemon that keeps
 * everything in memory. No manager: nothing here asks for one. Takes some 15 s.
 */
export async function startCeph(packages: UnpackedPackages, directory: string): Promise<S3Server> {
  const [monitorPort = 0, port = 0] = await freePorts(2)
  const [clusterId, storageId] = [randomUUID(), randomUUID()]
  for (const name of ['mon', 'osd', 'rgw']) mkdirSync(join(directory, name), { recursive: true })
  const paths = { conf: join(directory, 'ceph.conf'), keyring: join(directory, 'keyring') }
  writeFileSync(paths.conf, configuration(packages, directory, { clusterId, monitorPort, port }))
  writeFileSync(paths.keyring, keyring(), { mode: 0o600 })
  const run = (program: string, ...args: readonly string[]): Promise<void> =>
    runUnpacked(packages, program, ['-c', paths.conf, ...args])
  const start = (program: string, ...args: readonly string[]) =>
    startLeashed(packages, program, ['-c', paths.conf, ...args, '-f'])

  const map = join(directory, 'monmap')
  const monitor = `[v2:127.0.0.1:${monitorPort}]`
  const mapArgs = ['--create', '--addv', 'a', monitor, '--fsid', clusterId, map]
  await runUnpacked(packages, 'monmaptool', mapArgs)
  await run('ceph-mon', '-i', 'a', '--mkfs', '--monmap', map, '--keyring', paths.keyring)
  const daemons = [start('ceph-mon', '-i', 'a')]
  const stop = async (): Promise<void> => {
    await Promise.all(daemons.map((daemon) => daemon.kill()))
  }
  try {
    const command = [join(packages.root, 'usr/bin/ceph'), '-c', paths.conf]
    await runUnpacked(packages, pythonOf(packages), [...command, 'osd', 'new', storageId, '0'])
    await run('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', storageId)
    daemons.push(start('ceph-osd', '-i', '0'))
    const gateway = start('radosgw', '-n', 'client.rgw')
    daemons.push(gateway)
    await waitForPort(gateway, port, startTimeoutMs)
    const user = ['--uid', 'varve', '--display-name', 'varve', '--access-key', accessKeyId]
    await run(
      'radosgw-admin',
      '-n',
      'client.rgw',
      'user',
      'create',
      ...user,
      '--secret',
      secretAccessKey,
    )
  } catch (error) {
    await stop()
    throw error
  }
  const endpoint = `http://127.0.0.1:${port}`
  return { access: { name: 'Ceph radosgw', endpoint, accessKeyId, secretAccessKey }, stop }
}

/** Who may do what, each with a key of its own; one file for all of them. */
function keyring(): string {
  const users = {
    'mon.': { mon: 'allow *' },
    'client.admin': { mon: 'allow *', osd: 'allow *', mgr: 'allow *' },
    'osd.0': { mon: 'allow profile osd', osd: 'allow *' },
    'client.rgw': { mon: 'allow rw', osd: 'allow rwx' },
  }
  return Object.entries(users)
    .map(([name, caps]) => {
      const lines = Object.entries(caps).map(([daemon, cap]) => `\tcaps ${daemon} = "${cap}"\n`)
      return `[${name}]\n\tkey = ${newKey()}\n${lines.join('')}`
    })
    .join('')
}

/** Ceph's CryptoKey: type AES, when it was made, length, key; numbers are little-endian. */
function newKey(): string {
  const header = Buffer.alloc(12)
  header.writeUInt16LE(1, 0)
  header.writeUInt32LE(Math.floor(Date.now() / 1000), 2)
  header.writeUInt16LE(16, 10)
  return Buffer.concat([header, randomBytes(16)]).toString('base64')
}

function configuration(
  { root }: UnpackedPackages,
  directory: string,
  ids: { readonly clusterId: string; readonly monitorPort: number; readonly port: number },
): string {
  const lib = join(root, 'usr/lib')
  const triplet = readdirSync(lib).find((name) => name.endsWith('-linux-gnu')) ?? ''
  const libraries = join(lib, triplet)
  return `[global]
fsid = ${ids.clusterId}
mon_host = v2:127.0.0.1:${ids.monitorPort}
mon_initial_members = a
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv6 = false
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
auth_allow_insecure_global_id_reclaim = false
keyring = ${directory}/keyring
run_dir = ${directory}
admin_socket =
pid_file =
log_file =
log_to_stderr = true
mon_cluster_log_file = /dev/null
debug_mon = 0
debug_osd = 0
debug_rocksdb = 0
debug_memstore = 0
debug_rgw = 0
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
osd_crush_chooseleaf_type = 0
osd_objectstore = memstore
memstore_device_bytes = ${4 * 2 ** 30}
plugin_dir = ${libraries}/ceph
erasure_code_dir = ${libraries}/ceph/erasure-code
osd_class_dir = ${libraries}/rados-classes
mon_data = ${directory}/mon
osd_data = ${directory}/osd
[client.rgw]
rgw_frontends = beast endpoint=127.0.0.1:${ids.port}
rgw_data = ${directory}/rgw
`
}
