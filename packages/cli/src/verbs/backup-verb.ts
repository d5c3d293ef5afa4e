import type { Argv } from 'yargs'
import { addUpkeepActions } from './backup-upkeep-verbs.ts'
import { type Choose, withJson } from './verb-options.ts'

export function addBackupVerb(parser: Argv, choose: Choose): void {
  parser.command('backup <action>', 'Back up data directories, and look after backups', (verb) => {
    const actions = withJson(verb)
      .example('$0 backup prune ./backups --keep-last 7', '')
      .demandCommand(1, 'Which action? See --help.')
    addUpkeepActions(actions, choose)
    return actions
  })
}
