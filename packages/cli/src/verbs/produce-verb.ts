import type { Argv } from 'yargs'
import { type Choose, homeOf, number, text, withHome, withJson } from './verb-options.ts'

const compressionTypes = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const acks = ['none', 'written', 'flushed'] as const

export function addProduceVerb(parser: Argv, choose: Choose): void {
  parser.command(
    'produce <topic>',
    'Append a record per line of standard input or of a file',
    (verb) =>
      withHome(withJson(verb))
        .positional('topic', { type: 'string', demandOption: true, describe: 'Name of the topic' })
        .option('partition', {
          ...number,
          describe: 'Which of its partitions; without it 0, and on a server what the key says',
        })
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
        .example('$0 produce orders --bootstrap-server localhost:9092 --file orders.jsonl', '')
        .example(
          "printf 'o-17\\tpaid\\n' | $0 produce orders --data ./data --key-separator '\\t'",
          '',
        )
        .epilogue(
          'A data directory is made where it is not there, and its topic; a topic of a server is ' +
            'not. There flushed stands for Kafka’s acks=all, written for 1, none for 0.',
        ),
    (given) =>
      choose(async (io) => {
        const home = homeOf(given)
        const { produce } = await import('../commands/produce.ts')
        return produce(
          {
            ...{ topic: given.topic, home, partition: given.partition ?? null },
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
