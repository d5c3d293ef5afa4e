import { constants, createHash } from 'node:crypto'
import { createSecureContext, type TlsOptions } from 'node:tls'
import { nodeFileSystem } from '@varve/log'
import { readSmallFile } from '@varve/log/files'
import type { TlsListenerOptions } from '../base/listener-options.ts'
import { CertificateError } from '../base/server-errors.ts'

const fileBytesMax = 4 * 2 ** 20

/** What Node needs to make a listener's connections secure, and the fingerprint of its files. */
export interface TlsMaterial {
  readonly options: TlsOptions
  /** Changes when a file does. */
  readonly fingerprint: string
}

/**
 * Reads the files of a listener and checks that TLS can be spoken with them. Sessions are never
 * resumed: a session would outlive the authorities that vouched for its client.
 *
 * @throws CertificateError
 */
export function readTlsMaterial(tls: TlsListenerOptions): TlsMaterial {
  const hash = createHash('sha256')
  const read = (path: string): Buffer => {
    const bytes = readFile(path)
    hash.update(bytes)
    return bytes
  }
  const { certificateFile, keyFile = certificateFile, pfxFile, caFile, passphrase } = tls
  const { clientCertificates = 'none', minVersion = 'TLSv1.2' } = tls
  const options: TlsOptions = {
    ...(certificateFile !== undefined && { cert: read(certificateFile) }),
    ...(certificateFile !== undefined && keyFile !== undefined && { key: read(keyFile) }),
    ...(pfxFile !== undefined && { pfx: read(pfxFile) }),
    ...(caFile !== undefined && { ca: read(caFile) }),
    ...(passphrase !== undefined && { passphrase }),
    minVersion,
    requestCert: clientCertificates !== 'none',
    rejectUnauthorized: clientCertificates === 'required',
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  }
  try {
    createSecureContext(options)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CertificateError(certificateFile ?? pfxFile ?? '', reason, error)
  }
  return { options, fingerprint: hash.digest('hex') }
}

function readFile(path: string): Buffer {
  try {
    const bytes = readSmallFile(nodeFileSystem, path, fileBytesMax)
    if (bytes !== null) return bytes
  } catch (error) {
    throw new CertificateError(path, error instanceof Error ? error.message : '', error)
  }
  throw new CertificateError(path, 'there is no such file')
}
