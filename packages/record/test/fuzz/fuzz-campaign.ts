import assert from 'node:assert/strict'
import { scaled } from '../campaign-scale.ts'
import { type FuzzTarget, fuzz, fuzzSeed } from './fuzz-target.ts'
import { HangWatch } from './fuzz-watch.ts'
import { PeakMemory } from './peak-memory.ts'

/** What hostile input may make of the process's memory, over what it has when warm. */
const peakBytesMax = 64 * 1024 * 1024

/** The part of the inputs after which code is compiled and the heap has found its size. */
const warmUpShare = 0.02

const inputsPerTidying = 32

/**
 * The long form: `inputs` inputs, scaled, against the targets, each of them bounded in time, all of
 * them in memory; prints what was done.
 */
export async function fuzzCampaign(
  name: string,
  targets: readonly FuzzTarget[],
  inputs: number,
): Promise<void> {
  const total = scaled(inputs)
  const seed = fuzzSeed(name)
  const watch = new HangWatch(name)
  let memory: PeakMemory | null = null
  let count = 0
  const onInput = (inputSeed: number): void => {
    watch.note(inputSeed)
    if (count++ % inputsPerTidying === 0) memory?.tidy()
  }
  try {
    // The first inputs of a seed are read again below, so that it replays them alone.
    await fuzz(targets, { seed, inputs: Math.ceil(total * warmUpShare), onInput })
    memory = new PeakMemory()
    const cpu = process.cpuUsage()
    const report = await fuzz(targets, { seed, inputs: total, onInput })
    const { user, system } = process.cpuUsage(cpu)
    const peakBytes = memory.overBaseBytes()
    const counts = [...report.inputsByTarget].map(([target, count]) => `${target} ${count}`)
    process.stdout.write(
      `${name}: ${report.inputs} inputs (${counts.join(', ')}), ${report.inputsPerSecond}/s, ` +
        `${((user + system) / report.inputs).toFixed(0)} µs of CPU each, ` +
        `slowest ${report.slowestMs.toFixed(1)} ms, peak ${(peakBytes / 2 ** 20).toFixed(1)} MiB ` +
        'over the baseline\n',
    )
    assert(peakBytes < peakBytesMax, 'the memory peak stays under 64 MiB over the baseline')
  } finally {
    await watch.stop()
  }
}
