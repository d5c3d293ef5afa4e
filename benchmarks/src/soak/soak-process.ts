// Entry of the process that the steady-memory benchmark starts: the load comes as its argument, and
// what was seen of the process goes to its output.
import { soak } from './soak.ts'

const result = await soak(JSON.parse(process.argv[2] ?? ''))
process.stdout.write(JSON.stringify(result))
