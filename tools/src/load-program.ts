import { loadProgram } from './clients/tried-clients.ts'

// Fetches and compiles the program that loads brokers, for another program, where that was never
// done before: prints one line of JSON that says how it is run, or why it can't be had.

process.stdout.write(`${JSON.stringify(await loadProgram())}\n`)
