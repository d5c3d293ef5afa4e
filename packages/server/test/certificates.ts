import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A certificate and its key, made for a test. */
export interface TestCertificate {
  readonly certificate: string
  readonly key: string
  readonly der: Buffer
}

export interface CertificateAuthority extends TestCertificate {
  /** Signs a certificate for a subject, given as pairs of an attribute's number and a value. */
  issue(subject: Subject, options?: { readonly addresses?: readonly string[] }): TestCertificate
}

export type Subject = readonly (readonly [string, string | Buffer])[]

export const commonName = '2.5.4.3'

export function makeAuthority(name = 'Test authority'): CertificateAuthority {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const subject: Subject = [[commonName, name]]
  const own = makeCertificate(subject, pair, subject, pair.privateKey, [isAuthority])
  return {
    ...own,
    issue(forSubject, { addresses = ['127.0.0.1'] } = {}) {
      const issued = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      return makeCertificate(forSubject, issued, subject, pair.privateKey, [forHosts(addresses)])
    },
  }
}

/** Writes both as files, and returns their paths. */
export function writeCertificate(
  directory: string,
  name: string,
  { certificate, key }: TestCertificate,
): { readonly certificateFile: string; readonly keyFile: string } {
  const certificateFile = join(directory, `${name}.pem`)
  const keyFile = join(directory, `${name}-key.pem`)
  writeFileSync(certificateFile, certificate)
  writeFileSync(keyFile, key, { mode: 0o600 })
  return { certificateFile, keyFile }
}

function makeCertificate(
  subject: Subject,
  { publicKey, privateKey }: { readonly publicKey: KeyObject; readonly privateKey: KeyObject },
  issuer: Subject,
  issuerKey: KeyObject,
  extensions: readonly Buffer[],
): TestCertificate {
  const body = sequence(
    tagged(0xa0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ecdsaWithSha256,
    nameOf(issuer),
    sequence(time('20200101000000Z'), time('20991231235959Z')),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions)),
  )
  const signature = sign('sha256', body, issuerKey)
  const der = sequence(body, ecdsaWithSha256, bitString(signature))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return {
    der,
    certificate: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function nameOf(subject: Subject): Buffer {
  return sequence(
    ...subject.map(([type, value]) => {
      const text = typeof value === 'string' ? tagged(0x0c, Buffer.from(value, 'utf8')) : value
      return tagged(0x31, sequence(objectIdentifier(type), text))
    }),
  )
}

/** DER: a tag, a length and a content. */
export function tagged(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content])
  const bytes = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...bytes), content])
}

function sequence(...contents: readonly Buffer[]): Buffer {
  return tagged(0x30, ...contents)
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes)
}

function time(text: string): Buffer {
  return tagged(0x18, Buffer.from(text, 'latin1'))
}

function bitString(bytes: Buffer): Buffer {
  return tagged(0x03, Buffer.of(0), bytes)
}

function objectIdentifier(text: string): Buffer {
  const [first = 0, second = 0, ...others] = text.split('.').map(Number)
  const bytes = [first * 40 + second, ...others].flatMap((number) => {
    const digits = [number & 0x7f]
    for (let left = number >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80)
    return digits
  })
  return tagged(0x06, Buffer.from(bytes))
}

function extension(type: string, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [tagged(0x01, Buffer.of(0xff))] : []
  return sequence(objectIdentifier(type), ...critical, tagged(0x04, value))
}

const ecdsaWithSha256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'))
const isAuthority = extension('2.5.29.19', true, sequence(tagged(0x01, Buffer.of(0xff))))

function forHosts(addresses: readonly string[]): Buffer {
  const names = addresses.map((address) =>
    tagged(0x87, Buffer.from(address.split('.').map(Number))),
  )
  return extension('2.5.29.17', false, sequence(...names))
}
