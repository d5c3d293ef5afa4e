import { nodeFileSystem } from '../../src/storage/node-file-system.ts'
import { makeTemporaryDirectory } from '../../src/testing/index.ts'
import { describeFileSystem } from '../file-system-conformance.ts'

describeFileSystem('nodeFileSystem', () => {
  const directory = makeTemporaryDirectory()
  return { fs: nodeFileSystem, directory: directory.path, remove: directory.remove }
})
