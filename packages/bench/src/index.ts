/**
 * Workload runs of Varve: producing, consuming, end to end.
 *
 * @packageDocumentation
 */
export { describeMachine, type Machine } from './measuring/machine.ts'
export { medianOf, type Spread, spreadOf } from './measuring/spread.ts'
export { jsonEvent } from './payload/json-event.ts'
export { SeededRandom } from './payload/seeded-random.ts'
