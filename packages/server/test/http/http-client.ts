import { request } from 'node:http'

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

/** Asks a listener as a test says; `headers` may name another host than it has. */
export function ask(
  address: string,
  path: string,
  options: {
    readonly method?: string
    readonly headers?: Record<string, string>
    readonly body?: string
  } = {},
): Promise<HttpAnswer> {
  const [host = '', port = ''] = address.split(/:(?=\d+$)/)
  return new Promise((resolve, reject) => {
    const { body, ...how } = options
    const asked = request({ host, port, path, agent: false, ...how }, (response) => {
      const pieces: Buffer[] = []
      response.on('data', (piece: Buffer) => pieces.push(piece))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response
        resolve({ status, headers, text: Buffer.concat(pieces).toString('utf8') })
      })
    })
    asked.on('error', reject)
    asked.end(body)
  })
}
