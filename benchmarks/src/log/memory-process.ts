// Entry of the processes that the memory benchmark starts: the load comes as its argument.
import { useMemory } from './memory-load.ts'

const use = await useMemory(JSON.parse(process.argv[2] ?? ''))
process.stdout.write(JSON.stringify(use))
