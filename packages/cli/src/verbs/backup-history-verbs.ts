import type { Argv } from 'yargs'
import { type Choose, flag, text, texts, withKeys } from './verb-options.ts'

/** The actions of `varve backup` that are about records: export, import, heal. */
export function addHistoryActions(parser: Argv<{ json: boolean }>, choose: Choose): void {
  addExport(parser, choose)
  addImport(parser, choose)
  addHeal(parser, choose)
}

function addExport(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'export <source> <database>',
    'Write the records of a backup, or of a data directory, into an SQLite database',
    (verb) =>
      withKeys(verb)
        .positional('source', {
          type: 'string',
          demandOption: true,
          describe: 'A repository, or a data directory',
        })
        .positional('database', {
          type: 'string',
          demandOption: true,
          describe: 'A file that is made',
        })
        .option('backup', { ...text, default: 'latest', describe: 'Id, point, or latest' })
        .option('topic', { ...texts, describe: 'Only this topic; more than once' })
        .example('$0 backup export ./backups orders.db --topic orders', '')
        .epilogue('Needs the optional package better-sqlite3.'),
    ({ source: repository, database: to, passphraseFile, key, backup, topic: topics, json }) =>
      choose(async (io) => {
        const { exportRecords } = await import('../backup/export.ts')
        return exportRecords({ repository, passphraseFile, key, backup, to, topics, json }, io)
      }),
  )
}

function addImport(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'import <database> <data>',
    'Make a data directory of an exported database, every record at its offset',
    (verb) =>
      verb
        .positional('database', { type: 'string', demandOption: true, describe: 'An export' })
        .positional('data', {
          type: 'string',
          demandOption: true,
          describe: 'A data directory that is made',
        })
        .example('$0 backup import orders.db ./data', '')
        .epilogue('Into topics that are there already: varve replay.'),
    ({ database: from, data: to, json }) =>
      choose(async (io) => {
        const { importRecords } = await import('../backup/export.ts')
        return importRecords({ from, to, json }, io)
      }),
  )
}

function addHeal(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'heal <repository> <data>',
    'Show which damaged segments a backup has whole; with --execute put those in place',
    (verb) =>
      withKeys(verb)
        .positional('repository', {
          type: 'string',
          demandOption: true,
          describe: 'A directory, or s3://bucket/prefix?endpoint=…',
        })
        .positional('data', {
          type: 'string',
          demandOption: true,
          describe: 'A data directory that nobody has open',
        })
        .option('execute', { ...flag, describe: 'Do it; else it is only shown' })
        .example('$0 backup heal ./backups ./data --execute', '')
        .epilogue(
          'Nothing takes the place of a segment unless it is proven to be what the log sealed.',
        ),
    ({ repository, data, passphraseFile, key, execute, json }) =>
      choose(async (io) => {
        const { healDirectory } = await import('../backup/heal.ts')
        return healDirectory({ repository, data, passphraseFile, key, execute, json }, io)
      }),
  )
}
