import { createRequire } from 'node:module'
import yargs, { type Argv } from 'yargs'
import type { CommandIo } from './command-io.ts'

/** What the arguments ask for. */
export type ParsedCommand =
  | { readonly kind: 'command'; readonly run: (io: CommandIo) => Promise<number> }
  /** Help or version. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'usage'; readonly message: string; readonly hint: string }

/** Remembers the verb that was given: it runs when parsing is over, so that what parsing throws can
 * only be an error of usage. */
type Choose = (run: (io: CommandIo) => Promise<number>) => void

const compressionTypes = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const acks = ['none', 'written', 'flushed'] as const

/**
 * Reads the arguments. The whole surface of the command stands in this file; each verb is a
 * function of its own in `commands/`, loaded when it is asked for and usable without this parser.
 */
export async function parseCommand(
  argv: readonly string[],
  columns: number,
): Promise<ParsedCommand> {
  let chosen: ParsedCommand | null = null
  const parser = buildParser(columns, (run) => {
    chosen = { kind: 'command', run }
  })
  let text = ''
  try {
    await parser.parseAsync([...argv], {}, (_error, _arguments, output) => {
      text = output
    })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const verb = argv.find((argument) => !argument.startsWith('-'))
    const about = verb !== undefined && verbs.has(verb) ? `varve ${verb}` : 'varve'
    return { kind: 'usage', message, hint: `See '${about} --help'.` }
  }
  return chosen ?? { kind: 'text', text }
}

const verbs: ReadonlySet<string> = new Set([
  'produce',
  'consume',
  'inspect',
  'dump',
  'verify',
  'repair',
  'reindex',
])

function buildParser(columns: number, choose: Choose): Argv {
  const parser = yargs()
    .scriptName('varve')
    .usage('$0 <verb>\n\nAppend-only logs on disk, with the bytes of Apache Kafka.')
    .locale('en')
    .exitProcess(false)
    .fail(false)
    .strict()
    .demandCommand(
      1,
      'Which verb? One of produce, consume, inspect, dump, verify, repair, reindex.',
    )
    .version(packageVersion())
    .alias({ h: 'help' })
    .epilogue('Exit codes: 0 fine, 1 findings, 2 usage, 3 failure.')
    .wrap(Math.min(columns, 100))
    .parserConfiguration({ 'duplicate-arguments-array': false, 'boolean-negation': false })
  addProduce(parser, choose)
  addConsume(parser, choose)
  addInspect(parser, choose)
  addDump(parser, choose)
  addVerify(parser, choose)
  addRepair(parser, choose)
  addReindex(parser, choose)
  return parser
}

function addProduce(parser: Argv, choose: Choose): void {
  parser.command(
    'produce <topic>',
    'Append a record per line of standard input or of a file',
    (verb) =>
      withJson(withPartition(verb))
        .option('acks', {
          choices: acks,
          default: 'flushed',
          describe: 'What an acknowledged record survives: nothing, the process, a power cut',
        })
        .option('compression', { choices: compressionTypes, default: 'none', describe: 'Codec' })
        .option('file', { ...text, describe: 'Read this file instead of standard input' })
        .option('key-separator', {
          ...text,
          describe: 'What stands before it on a line is the key',
        })
        .option('max-message-bytes', {
          ...number,
          default: 64 * 2 ** 20,
          describe: 'Largest batch, and so about the longest line, that is accepted',
        })
        .example('$0 produce orders --data ./data --file orders.jsonl', '')
        .example(
          "printf 'o-17\\tpaid\\n' | $0 produce orders --data ./data --key-separator '\\t'",
          '',
        ),
    (given) =>
      choose(async (io) => {
        const { produce } = await import('./commands/produce.ts')
        return produce(
          {
            ...{ topic: given.topic, data: given.data, partition: given.partition },
            acks: given.acks as (typeof acks)[number],
            compressionType: given.compression as (typeof compressionTypes)[number],
            file: given.file ?? null,
            keySeparator: given.keySeparator ?? null,
            maxMessageBytes: given.maxMessageBytes,
            json: given.json,
          },
          io,
        )
      }),
  )
}

function addConsume(parser: Argv, choose: Choose): void {
  parser.command(
    'consume <topic>',
    'Print the records of a partition, beside whoever appends to it',
    (verb) =>
      withJson(withPartition(verb))
        .option('from', {
          ...text,
          default: 'earliest',
          describe: 'Where to start: earliest, latest, an offset, or a time in ISO 8601',
        })
        .option('max', { ...number, describe: 'Stop after so many records' })
        .option('follow', { ...flag, describe: 'At the end, wait for more' })
        .option('format', {
          choices: ['value', 'json'] as const,
          default: 'value',
          describe: 'A value a line, or a JSON object a line',
        })
        .option('isolation', {
          choices: ['uncommitted', 'committed'] as const,
          default: 'uncommitted',
          describe: 'Whether records of open and aborted transactions are left out',
        })
        .example('$0 consume orders --data ./data --max 10 --format json', '')
        .example('$0 consume orders --data ./data --from 2026-11-21T08:00Z --follow', '')
        .epilogue(
          'JSON objects have offset, timestamp (ms), key, value, and headers where there are any. ' +
            'Keys and values are strings; one that is not UTF-8 stands in base64, and keyEncoding ' +
            'or valueEncoding says so.',
        ),
    (given) =>
      choose(async (io) => {
        const { consume } = await import('./commands/consume.ts')
        return consume(
          {
            ...{ topic: given.topic, data: given.data, partition: given.partition },
            from: given.from,
            max: given.max ?? null,
            follow: given.follow,
            format: given.json ? 'json' : (given.format as 'value' | 'json'),
            isolation: given.isolation as 'uncommitted' | 'committed',
          },
          io,
        )
      }),
  )
}

function addInspect(parser: Argv, choose: Choose): void {
  parser.command(
    'inspect <path>',
    'Say what a file, a partition or a data directory holds',
    (verb) =>
      withJson(withPath(verb))
        .example('$0 inspect ./data', '')
        .example('$0 inspect ./data/orders-0 --json', ''),
    (given) =>
      choose(async (io) => {
        const { inspect } = await import('./commands/inspect.ts')
        return inspect({ path: given.path, json: given.json }, io)
      }),
  )
}

function addDump(parser: Argv, choose: Choose): void {
  parser.command(
    'dump <path>',
    'Print batches, records and index entries one by one',
    (verb) =>
      withJson(withPath(verb))
        .option('records', { ...flag, describe: 'Print the records in the batches too' })
        .option('from', { ...number, describe: 'Leave out what lies before this offset' })
        .option('max', {
          ...number,
          describe: 'Stop after so many batches, or records with --records',
        })
        .option('digest', {
          ...flag,
          describe: 'With --json: length and SHA-256 of values over 256 bytes',
        })
        .example('$0 dump ./data/orders-0 --records --max 10', '')
        .example('$0 dump ./data/orders-0/00000000000000000000.index', '')
        .epilogue(
          'Of a directory, the segment files are printed, in the order of their names; with --from ' +
            'or --max only the .log files. Any other file is printed when it is named itself.',
        ),
    (given) =>
      choose(async (io) => {
        const { dump } = await import('./commands/dump.ts')
        return dump(
          {
            path: given.path,
            records: given.records,
            from: given.from ?? null,
            max: given.max ?? null,
            digest: given.digest,
            json: given.json,
          },
          io,
        )
      }),
  )
}

function addVerify(parser: Argv, choose: Choose): void {
  parser.command(
    'verify <path>',
    'Check every byte, and print what is wrong',
    (verb) =>
      withJson(withPath(verb))
        .example('$0 verify ./data', '')
        .example('$0 verify ./data/orders-0 --json', '')
        .epilogue('Takes no lock and writes nothing. Exits with 1 at an error or a warning.'),
    (given) =>
      choose(async (io) => {
        const { verify } = await import('./commands/verify.ts')
        return verify({ path: given.path, json: given.json }, io)
      }),
  )
}

function addRepair(parser: Argv, choose: Choose): void {
  parser.command(
    'repair <path>',
    'Show how a damaged log can be made whole; with --yes, do it',
    (verb) =>
      withJson(withPath(verb))
        .option('yes', { ...flag, describe: 'Carry the plan out' })
        .example('$0 repair ./data/orders-0', '')
        .example('$0 repair ./data/orders-0 --yes', '')
        .epilogue(
          'The log must be closed. What is taken out of it is kept beside it, in .broken files. ' +
            'Exits with 1 when something is left to be repaired.',
        ),
    (given) =>
      choose(async (io) => {
        const { repair } = await import('./commands/repair.ts')
        return repair({ path: given.path, yes: given.yes, json: given.json }, io)
      }),
  )
}

function addReindex(parser: Argv, choose: Choose): void {
  parser.command(
    'reindex <path>',
    'Make indexes and digests anew from the records',
    (verb) =>
      withJson(withPath(verb))
        .example('$0 reindex ./data/orders-0', '')
        .example('$0 reindex ./data/orders-0/00000000000000000000.log', '')
        .epilogue('The log must be closed.'),
    (given) =>
      choose(async (io) => {
        const { reindex } = await import('./commands/reindex.ts')
        return reindex({ path: given.path, json: given.json }, io)
      }),
  )
}

const text = { type: 'string', requiresArg: true } as const
const number = { type: 'number', requiresArg: true } as const
const flag = { type: 'boolean', default: false } as const

function withJson<T>(verb: Argv<T>): Argv<T & { json: boolean }> {
  return verb.option('json', { ...flag, describe: 'Print for machines: JSON, a document a line' })
}

function withPath<T>(verb: Argv<T>): Argv<T & { path: string }> {
  return verb.positional('path', {
    type: 'string',
    demandOption: true,
    describe: "A file, a partition's directory or a data directory, of Varve or of Kafka",
  })
}

function withPartition<T>(
  verb: Argv<T>,
): Argv<T & { topic: string; data: string; partition: number }> {
  return verb
    .positional('topic', { type: 'string', demandOption: true, describe: 'Name of the topic' })
    .option('data', { ...text, demandOption: true, describe: 'The data directory' })
    .option('partition', { ...number, default: 0, describe: 'Which of the topic’s partitions' })
}

function packageVersion(): string {
  const { version } = createRequire(import.meta.url)('../package.json') as { version: string }
  return version
}
