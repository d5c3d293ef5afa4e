import type { Argv } from 'yargs'
import { type Choose, number, text, withJson, withPartition } from './verb-options.ts'

const compressionTypes = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const acks = ['none', 'written', 'flushed'] as const

export function addProduceVerb(parser: Argv, choose: Choose): void {
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
        const { produce } = await import('../commands/produce.ts')
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
