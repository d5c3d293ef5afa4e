import { SimulatedFileSystem } from '../../src/testing/index.ts'
import { describeFileSystem } from '../file-system-conformance.ts'

for (const turnsMax of [0, 5]) {
  describeFileSystem(`SimulatedFileSystem with up to ${turnsMax} turns a call`, () => {
    const fs = new SimulatedFileSystem({ turnsMax })
    fs.makeDirectories('/data/test')
    return { fs, directory: '/data/test', remove: () => {} }
  })
}
