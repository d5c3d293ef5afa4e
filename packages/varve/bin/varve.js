#!/usr/bin/env node
import { main } from '@varve/cli'

process.exitCode = await main(process.argv.slice(2))
