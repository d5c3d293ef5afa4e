import type { Argv } from 'yargs'
import {
  baseOf,
  keysArgumentsOf,
  payloadOf,
  produceRunOf,
  realKeys,
  recordRunOf,
  withBase,
  withKeyOptions,
  withPayload,
  withRecords,
  withSending,
} from './bench-arguments.ts'
import { type Choose, flag, number, text, withJson } from './verb-options.ts'

export function addBenchVerb(parser: Argv, choose: Choose): void {
  const about = 'Measure producing, consuming and upkeep, on this disk'
  parser.command('bench [workload]', about, (verb) => {
    const workloads = withJson(verb)
      .example('$0 bench produce --data /mnt/disk --record-size 100', '')
      .example('$0 bench end-to-end --rates 1000,5000,20000 --report latency.html', '')
      .epilogue(
        'A run makes a scratch directory in --data, or a topic on kafka://host:port, and removes ' +
          'it; --data too, where it was not there and is empty at the end. With a rate, latency counts from the moment at which a record was due; flat out ' +
          'it is the time of service. The last lines are those of Kafka’s own tools. --json ' +
          'prints all figures as one document: docs/benchmarks.md says what is in it.',
      )
      .demandCommand(1, `Which workload? One of ${workloadNames}.`)
    addProduce(workloads, choose)
    addConsume(workloads, choose)
    addEndToEnd(workloads, choose)
    addRecover(workloads, choose)
    addCompact(workloads, choose)
    addBackup(workloads, choose)
    return workloads
  })
}

const workloadNames = 'produce, consume, end-to-end, recover, compact, backup'

type Workloads = Argv<{ json: boolean }>

function addProduce(parser: Workloads, choose: Choose): void {
  parser.command(
    'produce',
    'Send records, and wait for each to be acknowledged',
    (verb) =>
      withSending(withRecords(verb))
        .example('$0 bench produce --record-size 100 --acks written --duration 30', '')
        .example(
          '$0 bench produce --rate 10000 --keys zipf --key-range 1000000 --partitions 8',
          '',
        ),
    (given) =>
      choose(async (io) => {
        const { benchProduce } = await import('../commands/bench.ts')
        return benchProduce(produceRunOf(given), io)
      }),
  )
}

function addConsume(parser: Workloads, choose: Choose): void {
  parser.command(
    'consume',
    'Read records: of a scratch topic that is filled first, or of one that is there',
    (verb) =>
      withRecords(verb)
        .option('consumers', { ...number, default: 1, describe: 'Consumers that share the work' })
        .option('group', { ...text, describe: 'Consume as this group, and commit its offsets' })
        .option('fetch-size', { ...text, default: '1MiB', describe: 'Read so much at once' })
        .example('$0 bench consume --records 1000000 --record-size 100', '')
        .example('$0 bench consume --data ./data --topic orders', ''),
    (given) =>
      choose(async (io) => {
        const { benchConsume } = await import('../commands/bench.ts')
        const { consumers, group = null, 'fetch-size': fetchSize } = given
        return benchConsume({ ...recordRunOf(given), consumers, group, fetchSize }, io)
      }),
  )
}

function addEndToEnd(parser: Workloads, choose: Choose): void {
  parser.command(
    'end-to-end',
    'Send records and read them as they arrive: the time from one to the other',
    (verb) =>
      withSending(withRecords(verb))
        .option('other-process', { ...flag, describe: 'Read in a process of its own' })
        .option('poll', {
          ...number,
          default: 1,
          describe: 'It looks for records every so many ms',
        })
        .example('$0 bench end-to-end --rate 1000 --other-process', ''),
    (given) =>
      choose(async (io) => {
        const { benchEndToEnd } = await import('../commands/bench.ts')
        const { 'other-process': otherProcess, poll } = given
        return benchEndToEnd({ ...produceRunOf(given), otherProcess, poll }, io)
      }),
  )
}

const repeat = { ...number, default: 3, describe: 'Measure so often; the median counts' }

function addRecover(parser: Workloads, choose: Choose): void {
  parser.command(
    'recover',
    'Open a log that ends in the midst of a batch, beside reading and checking it bare',
    (verb) =>
      withPayload(withBase(verb))
        .option('size', { ...text, default: '1GiB', describe: 'Of the log' })
        .option('segment-size', { ...text, describe: 'Of its segments; as large as can be' })
        .option('batch-size', { ...text, default: '64KiB', describe: 'Of its batches' })
        .option('recovery-point', {
          ...text,
          choices: ['start', 'end'],
          default: 'end',
          describe: 'What was known to be flushed: nothing, or all but the last batch',
        })
        .option('repeat', repeat)
        .example('$0 bench recover --data /mnt/disk --size 10GiB', ''),
    (given) =>
      choose(async (io) => {
        const { benchRecover } = await import('../commands/bench.ts')
        const { size, segmentSize = null, batchSize, recoveryPoint: point } = given
        const own = { size, segmentSize, batchSize, recoveryPoint: point as 'start' | 'end' }
        const options = { ...baseOf(given), ...payloadOf(given), repeat: given.repeat, ...own }
        return benchRecover(options, io)
      }),
  )
}

function addCompact(parser: Workloads, choose: Choose): void {
  parser.command(
    'compact',
    'Compact a log of keyed records',
    (verb) =>
      withKeyOptions(withPayload(withBase(verb)), { keys: 'uniform', range: 100_000 }, realKeys)
        .option('versions', { ...number, default: 5, describe: 'Records for each key, on average' })
        .option('segment-size', { ...text, default: '128MiB', describe: 'Of its segments' })
        .option('repeat', repeat)
        .example('$0 bench compact --key-range 1000000 --versions 10 --record-size 100', ''),
    (given) =>
      choose(async (io) => {
        const { benchCompact } = await import('../commands/bench.ts')
        const { versions, segmentSize } = given
        const shared = { ...baseOf(given), ...payloadOf(given), ...keysArgumentsOf(given) }
        return benchCompact({ ...shared, versions, segmentSize, repeat: given.repeat }, io)
      }),
  )
}

function addBackup(parser: Workloads, choose: Choose): void {
  parser.command(
    'backup',
    'Back a log up in full, verify the repository, restore it',
    (verb) =>
      withPayload(withBase(verb))
        .option('size', { ...text, default: '1GiB', describe: 'Of the log' })
        .option('segment-size', { ...text, default: '128MiB', describe: 'Of its segments' })
        .option('repository', {
          ...text,
          describe: 'Make the repository in this directory, as on another disk; it is removed too',
        })
        .option('encrypt', { ...flag, describe: 'Encrypt it' })
        .option('repeat', repeat)
        .example('$0 bench backup --size 4GiB --encrypt --repository /mnt/other', ''),
    (given) =>
      choose(async (io) => {
        const { benchBackup } = await import('../commands/bench.ts')
        const { size, segmentSize, repository = null, encrypt } = given
        const own = { size, segmentSize, repository, encrypt, repeat: given.repeat }
        return benchBackup({ ...baseOf(given), ...payloadOf(given), ...own }, io)
      }),
  )
}
