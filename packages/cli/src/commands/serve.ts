import { type Server, startServer } from '@varve/server'
import { type CommandIo, exitCodes } from '../command-io.ts'
import { readGivenFile } from '../given-file.ts'
import { LineOutput } from '../output.ts'
import { LogLines } from '../serve/log-lines.ts'
import { type ServeOptions, serverOptionsOf } from '../serve/serve-options.ts'
import { type PageOptions, ShownPage } from '../serve/shown-page.ts'

export interface ServeCommandOptions extends ServeOptions, PageOptions {
  /** First line: the token of the HTTP listener. Null for none. */
  readonly httpTokenFile: string | null
}

/**
 * Serves a data directory to Kafka's clients until the user ends it. Says where once it serves;
 * what it says after that are log lines.
 */
export async function serve(given: ServeCommandOptions, io: CommandIo): Promise<number> {
  const { config, httpTokenFile, json, verbose } = given
  const textOf = (option: string, path: string): string => {
    return readGivenFile(option, path).toString('utf8')
  }
  const { options, ignored } = serverOptionsOf(given, {
    config: config === null ? '' : textOf('--config', config),
    httpToken:
      httpTokenFile === null ? null : firstLine(textOf('--http-token-file', httpTokenFile)),
  })
  const { clock } = io
  const logger = new LogLines(json ? io.stdout : io.stderr, { clock, json, verbose })
  if (ignored.length > 0) logger.info({ settings: ignored }, 'settings that do nothing here')
  await using page = await ShownPage.open(given)
  const { options: ui } = page
  const shown = ui === null ? {} : { ui }
  const server = await startServer({ ...options, ...shown, logger, logRequests: verbose })
  const offHangUp = io.onHangUp(() => reload(server, logger))
  try {
    // The configuration may have named it.
    const data = options.data ?? null
    await sayServing(server, ui !== null, logger, { ...given, data }, io)
    await ended(io.signal)
    logger.info({}, 'stopping: a second signal ends it at once')
  } finally {
    await server.close()
    offHangUp()
  }
  logger.info({}, 'stopped')
  return exitCodes.fine
}

async function sayServing(
  server: Server,
  hasPage: boolean,
  logger: LogLines,
  { data, memory, json }: ServeCommandOptions,
  io: CommandIo,
): Promise<void> {
  const { bootstrapServers, httpAddress } = server
  const page = hasPage ? ['http:', '', httpAddress, 'ui', ''].join('/') : null
  if (json) {
    logger.info({ bootstrapServers, httpAddress, page, data, memory }, 'serving')
    return
  }
  const http = httpAddress === null ? '' : `, HTTP on ${page ?? httpAddress}`
  const lines = new LineOutput(io.stdout)
  lines.line(`Serving ${memory ? 'a directory in memory' : data} on ${bootstrapServers}${http}`)
  await lines.flush()
}

/** What fails stays as it was, and is said. */
function reload(server: Server, logger: LogLines): void {
  try {
    logger.info({ listeners: server.reloadCertificates() }, 'certificates were read again')
  } catch (err) {
    logger.error({ err }, 'certificates could not be read again')
  }
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function firstLine(text: string): string {
  return text.split(/\r?\n/)[0] ?? ''
}
