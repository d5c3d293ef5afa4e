import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { UiRequestError } from './ui-errors.ts'

/** Everything comes from here, nothing is run that is not a file of the page, nobody frames it. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

const bodyBytesMax = 64 * 1024

/** What browsers are told with every answer. */
export function setSecurityHeaders(response: ServerResponse): void {
  response.setHeader('content-security-policy', contentSecurityPolicy)
  response.setHeader('cross-origin-resource-policy', 'same-origin')
  response.setHeader('cross-origin-opener-policy', 'same-origin')
  response.setHeader('x-frame-options', 'DENY')
}

/** Lets the page itself ask, and no page of another site. */
export class UiGuard {
  /** Only who can read the page's answers knows it: made anew at each start. */
  readonly token: string = randomBytes(24).toString('base64url')

  /**
   * Throws UiRequestError for what another site's page made a browser ask. Following a link to the
   * page itself is allowed.
   */
  checkRead({ headers }: IncomingMessage): void {
    const site = headers['sec-fetch-site']
    const isOwn = site === undefined || site === 'same-origin' || site === 'none'
    if (isOwn || headers['sec-fetch-mode'] === 'navigate') return
    throw new UiRequestError(403, 'another site may not ask')
  }

  /** Throws UiRequestError for a change that the page itself did not ask for. */
  checkWrite({ headers }: IncomingMessage): void {
    const site = headers['sec-fetch-site']
    const isOwn = site === undefined || site === 'same-origin'
    if (!isOwn || hostOf(headers.origin) !== headers.host?.toLowerCase()) {
      throw new UiRequestError(403, 'a change must come from the page itself')
    }
    if (!/^application\/json\b/.test(headers['content-type'] ?? '')) {
      throw new UiRequestError(415, 'a change is sent as application/json')
    }
    const shown = Buffer.from(String(headers['x-varve-token'] ?? ''))
    const own = Buffer.from(this.token)
    if (shown.length === own.length && timingSafeEqual(shown, own)) return
    throw new UiRequestError(403, 'the token is wrong: load the page anew')
  }
}

/** The JSON document that a request brings. Rejects with UiRequestError. */
export async function jsonBody(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > bodyBytesMax) throw new UiRequestError(413, 'that is too long')
    pieces.push(piece)
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString('utf8'))
  } catch {
    throw new UiRequestError(400, 'that is not JSON')
  }
}

function hostOf(origin: string | undefined): string | null {
  try {
    const { protocol, host } = new URL(origin ?? '')
    return protocol === 'http:' || protocol === 'https:' ? host : null
  } catch {
    return null
  }
}
