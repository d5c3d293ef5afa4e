import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import type { SaslMechanism } from '../base/listener-options.ts'

export type ScramMechanism = Exclude<SaslMechanism, 'PLAIN'>

/** What a server keeps of a password: enough to check it, and not to use it (RFC 5802). */
export interface ScramCredential {
  readonly salt: Buffer
  readonly iterations: number
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

export const scramMechanisms: readonly ScramMechanism[] = ['SCRAM-SHA-256', 'SCRAM-SHA-512']

/** Kafka's limits. */
export const iterationsMin = 4096
export const iterationsMax = 16_384
/** For passwords that are set here; twice what Kafka's tools take. */
export const defaultIterations = 8192

const hashes = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' } as const
const hashBytes = { 'SCRAM-SHA-256': 32, 'SCRAM-SHA-512': 64 } as const
/** Of passwords that are salted here. */
export const saltBytes = 24

const derive = promisify(pbkdf2)

/** How long keys and salted passwords of a mechanism are, in bytes. */
export function keyBytesOf(mechanism: ScramMechanism): number {
  return hashBytes[mechanism]
}

export function hmac(
  mechanism: ScramMechanism,
  key: Uint8Array,
  text: string | Uint8Array,
): Buffer {
  return createHmac(hashes[mechanism], key).update(text).digest()
}

export function hash(mechanism: ScramMechanism, bytes: Uint8Array): Buffer {
  return createHash(hashes[mechanism]).update(bytes).digest()
}

/** Computed beside the event loop: it is meant to take long. As in Kafka, without SASLprep. */
export function saltPassword(
  mechanism: ScramMechanism,
  password: string,
  salt: Uint8Array,
  iterations: number,
): Promise<Buffer> {
  const bytes = Buffer.from(password, 'utf8')
  return derive(bytes, salt, iterations, hashBytes[mechanism], hashes[mechanism])
}

export async function makeCredential(
  mechanism: ScramMechanism,
  password: string,
  iterations: number = defaultIterations,
): Promise<ScramCredential> {
  const salt = randomBytes(saltBytes)
  const salted = await saltPassword(mechanism, password, salt, iterations)
  return credentialOf(mechanism, salt, iterations, salted)
}

/** Of a password that somebody else has salted. */
export function credentialOf(
  mechanism: ScramMechanism,
  salt: Uint8Array,
  iterations: number,
  saltedPassword: Uint8Array,
): ScramCredential {
  return {
    salt: Buffer.from(salt),
    iterations,
    storedKey: storedKeyOf(mechanism, saltedPassword),
    serverKey: hmac(mechanism, saltedPassword, 'Server Key'),
  }
}

/** What the proof of a salted password is checked against. */
export function storedKeyOf(mechanism: ScramMechanism, saltedPassword: Uint8Array): Buffer {
  return hash(mechanism, hmac(mechanism, saltedPassword, 'Client Key'))
}

/** As Kafka writes it: `salt=…,stored_key=…,server_key=…,iterations=4096`. */
export function credentialText(credential: ScramCredential): string {
  const { salt, storedKey, serverKey, iterations } = credential
  const [one, two, three] = [salt, storedKey, serverKey].map((key) => key.toString('base64'))
  return `salt=${one},stored_key=${two},server_key=${three},iterations=${iterations}`
}

/** Null where the text is none. */
export function parseCredential(mechanism: ScramMechanism, text: string): ScramCredential | null {
  const pattern =
    /^salt=([\w+/=]+),stored_key=([\w+/=]+),server_key=([\w+/=]+),iterations=(\d{1,6})$/
  const match = pattern.exec(text)
  if (match === null) return null
  const [salt, storedKey, serverKey] = match
    .slice(1, 4)
    .map((key) => Buffer.from(key, 'base64')) as [Buffer, Buffer, Buffer]
  const bytes = hashBytes[mechanism]
  if (storedKey.length !== bytes || serverKey.length !== bytes || salt.length === 0) return null
  return { salt, storedKey, serverKey, iterations: Number(match[4]) }
}

/** Kafka's number of a mechanism. */
export function mechanismCode(mechanism: ScramMechanism): number {
  return mechanism === 'SCRAM-SHA-256' ? 1 : 2
}

/** Null where there is none with that number. */
export function mechanismOfCode(code: number): ScramMechanism | null {
  if (code === 1) return 'SCRAM-SHA-256'
  return code === 2 ? 'SCRAM-SHA-512' : null
}
