#!/usr/bin/env node
import { statSync } from 'node:fs'
import module from 'node:module'

// The command in few files, which load faster; see tools/bundle.mjs. In the workspace it may be
// older than what was compiled since: then the modules are loaded as they were compiled.
const bundle = new URL('../dist/command/main.js', import.meta.url)
const packages = ['record', 'log', 'cleaner', 'backup', 'broker', 'bench', 'server', 'cli']

function madeMs(url) {
  return statSync(url, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

const bundledMs = madeMs(bundle)
const compiledMs = packages.map((name) =>
  madeMs(new URL(`../../${name}/dist/.tsbuildinfo`, import.meta.url)),
)
// Node.js has it from 22.8 on.
module.enableCompileCache?.()
const isFresh = bundledMs > Math.max(...compiledMs)
const { main } = await import(isFresh ? bundle.href : '@varve/cli')
process.exitCode = await main(process.argv.slice(2))
