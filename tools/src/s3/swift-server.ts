import { mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../free-ports.ts'
import { pythonOf, runUnpacked, type UnpackedPackages } from './debian-packages.ts'
import { type S3Server, startLeashed, waitForPort } from './s3-server.ts'

/** What Debian calls the parts of OpenStack Swift, of which the proxy speaks S3. */
export const swiftPackageNames: readonly string[] = [
  'swift-proxy',
  'swift-account',
  'swift-container',
  'swift-object',
]

const startTimeoutMs = 60_000
const launcher = fileURLToPath(new URL('../../python/swift_server.py', import.meta.url))

/**
 * Starts OpenStack Swift with its S3 interface: three storage servers on one directory, which needs
 * extended attributes of its file system, and a proxy that knows one user.
 */
export async function startSwift(packages: UnpackedPackages, directory: string): Promise<S3Server> {
  const [account = 0, container = 0, object = 0, proxy = 0] = await freePorts(4)
  const ports = { account, container, object }
  mkdirSync(join(directory, 'disks', 'disk'), { recursive: true })
  const write = (name: string, text: string): void => writeFileSync(join(directory, name), text)
  write('swift.conf', swiftConfiguration)
  for (const [name, port] of Object.entries(ports)) {
    write(`${name}-server.conf`, storageConfiguration(name, port, directory))
  }
  write('proxy-server.conf', proxyConfiguration(proxy, directory))
  const python = pythonOf(packages)
  const rings = [account, container, object].map(String)
  await runUnpacked(packages, python, [launcher, 'rings', directory, ...rings])
  const all = { ...ports, proxy }
  const servers = Object.entries(all).map(([name, port]) => {
    const child = startLeashed(packages, python, [launcher, name, directory])
    return { child, isReady: waitForPort(child, port, startTimeoutMs) }
  })
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map(({ child }) => child.kill()))
  }
  const ends = await Promise.allSettled(servers.map(({ isReady }) => isReady))
  const failed = ends.find((end) => end.status === 'rejected')
  if (failed !== undefined) {
    await stop()
    throw failed.reason
  }
  const access = {
    name: 'OpenStack Swift',
    endpoint: `http://127.0.0.1:${proxy}`,
    accessKeyId: 'varve:varve',
    secretAccessKey: 'varve-secret',
  }
  return { access, stop }
}

const swiftConfiguration = `[swift-hash]
swift_hash_path_suffix = varve
swift_hash_path_prefix = varve
[storage-policy:0]
name = default
default = yes
`

function serverConfiguration(port: number, directory: string): string {
  return `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
user = ${userInfo().username}
swift_dir = ${directory}
devices = ${join(directory, 'disks')}
mount_check = false
disable_fallocate = true
log_level = WARNING
log_address = ${join(directory, 'no-such-socket')}
`
}

function storageConfiguration(name: string, port: number, directory: string): string {
  return `${serverConfiguration(port, directory)}[pipeline:main]
pipeline = ${name}-server
[app:${name}-server]
use = egg:swift#${name}
`
}

/** `cache` is part of every proxy; nothing listens where it looks, and it does without. */
function proxyConfiguration(port: number, directory: string): string {
  const filters = [
    'catch_errors',
    'cache',
    'listing_formats',
    'bulk',
    's3api',
    'tempauth',
    'slo',
    'copy',
  ]
  const settings: Readonly<Record<string, string>> = {
    cache: 'memcache_servers = 127.0.0.1:1\n',
    s3api: 'location = us-east-1\n',
    tempauth: 'user_varve_varve = varve-secret .admin\n',
  }
  const sections = filters.map((name) => {
    const use = name === 'cache' ? 'memcache' : name
    return `[filter:${name}]\nuse = egg:swift#${use}\n${settings[name] ?? ''}`
  })
  return `${serverConfiguration(port, directory)}[pipeline:main]
pipeline = ${filters.join(' ')} proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
${sections.join('')}`
}
