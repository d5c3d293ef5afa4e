/**
 * Workload runs of Varve: producing, consuming, end to end.
 *
 * @packageDocumentation
 */
export {}
