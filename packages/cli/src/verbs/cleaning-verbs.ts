import type { Argv } from 'yargs'
import { type Choose, flag, text, texts, withData, withJson } from './verb-options.ts'

const aboutSettings =
  'Settings are those of the topics; --set gives others for this time, under Kafka’s names: ' +
  'retention.ms or retentionMs. plan takes no lock and changes nothing; run needs the data ' +
  'directory for itself. A server has its own: it retains and compacts by its topics’ settings.'

export function addRetentionVerb(parser: Argv, choose: Choose): void {
  parser.command('retention <action>', 'Delete segments that are too old or too much', (verb) =>
    withJson(verb)
      .command(
        'plan [topic]',
        'Show what would be deleted, and why',
        (action) =>
          withCleaning(action)
            .example('$0 retention plan --data ./data', '')
            .example('$0 retention plan orders --data ./data --set retention.ms=86400000', ''),
        (given) =>
          choose(async (io) => {
            const { planRetention } = await import('../commands/retention.ts')
            return planRetention(cleaningOf(given), io)
          }),
      )
      .command(
        'run [topic]',
        'Delete it',
        (action) => withCleaning(action).example('$0 retention run --data ./data', ''),
        (given) =>
          choose(async (io) => {
            const { runRetention } = await import('../commands/retention.ts')
            return runRetention(cleaningOf(given), io)
          }),
      )
      .command(
        'release',
        'Let retention delete again from a data directory that was restored',
        (action) => withData(action).example('$0 retention release --data ./data', ''),
        ({ data, json }) =>
          choose(async (io) => {
            const { releaseHold } = await import('../commands/retention.ts')
            return releaseHold({ data, json }, io)
          }),
      )
      .example('$0 retention plan --data ./data', '')
      .epilogue(aboutSettings)
      .demandCommand(1, 'Which action? One of plan, run, release.'),
  )
}

export function addCompactVerb(parser: Argv, choose: Choose): void {
  parser.command('compact <action>', 'Leave only the newest record of every key', (verb) =>
    withJson(verb)
      .command(
        'plan [topic]',
        'Show what would be removed, and gained',
        (action) => withCleaning(action).example('$0 compact plan users --data ./data', ''),
        (given) =>
          choose(async (io) => {
            const { planCompaction } = await import('../commands/compact.ts')
            return planCompaction(cleaningOf(given), io)
          }),
      )
      .command(
        'run [topic]',
        'Compact the logs that are due',
        (action) =>
          withCleaning(action)
            .option('all', { ...flag, describe: 'Also those that are not due' })
            .example('$0 compact run --data ./data', '')
            .example('$0 compact run users --data ./data --all', ''),
        (given) =>
          choose(async (io) => {
            const { runCompaction } = await import('../commands/compact.ts')
            return runCompaction({ ...cleaningOf(given), all: given.all }, io)
          }),
      )
      .example('$0 compact plan --data ./data', '')
      .epilogue(`Only topics with cleanup.policy=compact. ${aboutSettings}`)
      .demandCommand(1, 'Which action? One of plan, run.'),
  )
}

function withCleaning(
  action: Argv<{ json: boolean }>,
): Argv<{ json: boolean; topic: string | undefined; data: string; set: string[] }> {
  return action
    .positional('topic', { type: 'string', describe: 'Only this topic' })
    .option('data', { ...text, demandOption: true, describe: 'The data directory' })
    .option('set', { ...texts, describe: 'A setting, as name=value; more than once' })
}

function cleaningOf(given: {
  readonly topic: string | undefined
  readonly data: string
  readonly set: readonly string[]
  readonly json: boolean
}) {
  return { data: given.data, topic: given.topic ?? null, set: given.set, json: given.json }
}
