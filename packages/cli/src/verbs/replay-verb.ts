import type { Argv } from 'yargs'
import { type Choose, flag, number, text, texts, withJson, withKeys } from './verb-options.ts'

const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const

export function addReplayVerb(parser: Argv, choose: Choose): void {
  parser.command(
    'replay <source>',
    'Append the records of a backup to a live data directory, or to a Kafka cluster',
    (verb) =>
      withTarget(withFilter(withKeys(withJson(verb))))
        .positional('source', {
          type: 'string',
          demandOption: true,
          describe: 'A repository, a data directory, or a database made by backup export',
        })
        .option('backup', { ...text, default: 'latest', describe: 'Id, point, or latest' })
        .option('map', { ...text, describe: 'File that says which offset became which' })
        .option('groups', { ...flag, describe: 'Move committed offsets of groups along' })
        .option('leave-out-open', {
          ...flag,
          describe: 'Go on behind a transaction that was open, without its records',
        })
        .example('$0 replay ./backups --to ./data --rename orders=orders.old', '')
        .example('$0 replay ./backups --to kafka://broker:9092 --groups', '')
        .epilogue(
          'Committed records only, with keys, values, headers and times as they were. Interrupted, ' +
            'it goes on when it is run again with the same map: nothing is lost or comes twice. Run ' +
            'with a newer backup it adds what is new. Topics that it makes keep everything until ' +
            'their retention is set.',
        ),
    (given) =>
      choose(async (io) => {
        const { replayRecords } = await import('../commands/replay.ts')
        const { source: repository, groups: withGroups, ...rest } = given
        return replayRecords(
          {
            ...rest,
            ...{ repository, withGroups },
            ...{ topics: given.topic, renames: given.rename },
            ...{ keys: given.recordKey, headers: given.header },
            leavesOutOpen: given.leaveOutOpen,
            keepsRetention: given.keepRetention,
          },
          io,
        )
      }),
  )
}

function withFilter<T>(verb: Argv<T>) {
  return verb
    .option('topic', { ...texts, describe: 'Only this topic; more than once' })
    .option('record-key', { ...texts, describe: 'Only records with this key; more than once' })
    .option('header', { ...texts, describe: 'Only records with it: name, or name=value' })
    .option('since', { ...text, describe: 'From this time on, like 2026-11-21T08:30Z' })
    .option('until', { ...text, describe: 'Before this time' })
    .option('from-offset', { ...number, describe: 'From this offset of the source on' })
    .option('to-offset', { ...number, describe: 'Before this offset of the source' })
}

function withTarget<T>(verb: Argv<T>) {
  return verb
    .option('to', {
      ...text,
      demandOption: true,
      describe: 'A data directory, kafka://host:9092 or kafka+tls://host:9092',
    })
    .option('rename', { ...texts, describe: 'Another name for a topic: old=new' })
    .option('keep-retention', { ...flag, describe: 'Give topics their retention at once' })
    .option('sasl-mechanism', { ...text, choices: mechanisms, describe: 'To log in to a cluster' })
    .option('user', { ...text, describe: 'Who logs in' })
    .option('password-file', { ...text, describe: 'A file with the password, first line' })
}
