// A process that restores, to be killed. Runs from compiled code:
// `node restorer.mjs REPOSITORY TO [in-place]`.
import { BackupCatalogue, DirectoryTarget, Repository, restoreBackup } from '@varve/backup'

const [path = '', to = '', place] = process.argv.slice(2)
const repository = await Repository.open(new DirectoryTarget(path))
const backup = await new BackupCatalogue(repository).find('latest')
process.stdout.write('ready\n')
await restoreBackup(repository, backup, { to, isInPlace: place === 'in-place', threads: 2 })
process.stdout.write('done\n')
