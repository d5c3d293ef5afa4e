import type { Argv } from 'yargs'
import { type Choose, text, withRepository } from './verb-options.ts'

/** `varve backup keys`: who can read an encrypted repository. */
export function addKeyActions(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'keys <action>',
    'Show and change who can read an encrypted repository',
    (verb) => {
      verb.demandCommand(1, 'Which action? One of list, add, remove, export-writer, export-reader.')
      addList(verb, choose)
      addAdd(verb, choose)
      addRemove(verb, choose)
      addExports(verb, choose)
      return verb
    },
  )
}

function addList(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'list <repository>',
    'List them',
    (verb) => withRepository(verb).example('$0 backup keys list ./backups --key reader.json', ''),
    ({ repository, passphraseFile, key, json }) =>
      choose(async (io) => {
        const { listKeys } = await import('../backup/keys.ts')
        return listKeys({ repository, passphraseFile, key, json }, io)
      }),
  )
}

function addAdd(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'add <repository>',
    'Let somebody else read it; no data is written anew',
    (verb) =>
      withRepository(verb)
        .option('recipient', { ...text, describe: 'Their public RSA key in PEM' })
        .option('new-passphrase-file', { ...text, describe: 'A file with another passphrase' })
        .example('$0 backup keys add ./backups --passphrase-file old --recipient public.pem', ''),
    ({ repository, passphraseFile, key, recipient, newPassphraseFile, json }) =>
      choose(async (io) => {
        const { addKey } = await import('../backup/keys.ts')
        const access = { repository, passphraseFile, key }
        return addKey({ ...access, recipient, newPassphraseFile, json }, io)
      }),
  )
}

function addRemove(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'remove <repository> <id>',
    'End that somebody can open it; the last one stays',
    (verb) =>
      withRepository(verb)
        .positional('id', { type: 'string', demandOption: true, describe: 'As list shows it' })
        .example('$0 backup keys remove ./backups 3f6c… --passphrase-file pass', ''),
    ({ repository, id, passphraseFile, key, json }) =>
      choose(async (io) => {
        const { removeKey } = await import('../backup/keys.ts')
        return removeKey({ repository, id, passphraseFile, key, json }, io)
      }),
  )
}

function addExports(parser: Argv<{ json: boolean }>, choose: Choose): void {
  for (const [role, what] of [
    ['writer', 'Write a key file that adds backups and reads none, for the host that backs up'],
    ['reader', 'Write a key file that reads, in place of the passphrase'],
  ] as const) {
    parser.command(
      `export-${role} <repository>`,
      what,
      (verb) =>
        withRepository(verb)
          .option('out', { ...text, demandOption: true, describe: 'The file that is made' })
          .example(`$0 backup keys export-${role} ./backups --out ${role}.json`, ''),
      ({ repository, passphraseFile, key, out, json }) =>
        choose(async (io) => {
          const { exportKey } = await import('../backup/keys.ts')
          return exportKey({ repository, passphraseFile, key, role, out, json }, io)
        }),
    )
  }
}
