import { type Clock, type Log, LogDirectory, systemClock } from '@varve/log'
import { batchOf } from './batch-of.ts'
import type { DirectoryMaker } from './directory-maker.ts'
import type { Scenario } from './scenario.ts'
import { scenarios, stampedAt } from './scenarios.ts'

/** Logs written, rolled and closed by the engine. */
export const engineLogs: DirectoryMaker = {
  name: 'logs of the engine',
  scenarios,
  closesCleanly: true,
  async make(dataDirectory) {
    await using directory = await LogDirectory.open(dataDirectory, {
      clock: stoppedClock,
      log: { indexIntervalBytes: 1024, leaderEpoch: 0 },
      logOptions: (topic) => optionsOf(scenarioOf(topic)),
    })
    for (const scenario of scenarios) {
      await appendScenario(await directory.createLog(scenario.name, 0), scenario)
    }
  },
}

/**
 * The time is that of the records: a log forgets producers whose last record is old. It is also
 * what a log that stamps its records stamps them with.
 */
const stoppedClock: Clock = { ...systemClock, now: () => stampedAt }

function scenarioOf(topic: string): Scenario {
  const scenario = scenarios.find(({ name }) => name === topic)
  if (scenario === undefined) throw new Error(`no scenario is called ${topic}`)
  return scenario
}

function optionsOf(scenario: Scenario): {
  readonly segmentBytes: number
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime'
} {
  const isStamped = scenario.logAppendTime !== undefined
  return {
    segmentBytes: scenario.segmentBytes,
    messageTimestampType: isStamped ? 'LogAppendTime' : 'CreateTime',
  }
}

/**
 * What a producer's batch says of itself goes in as it is; plain records the log makes batches of.
 */
async function appendScenario(log: Log, scenario: Scenario): Promise<void> {
  for (const step of scenario.steps) {
    if (step.kind === 'marker') {
      await log.appendBatch(batchOf(step), { origin: 'coordinator' })
    } else if (step.options.producerId !== undefined) {
      await log.appendBatch(batchOf(step))
    } else {
      const { compressionType = 'none' } = step.options
      await log.append(step.records, { acks: 'written', compressionType })
    }
  }
}
