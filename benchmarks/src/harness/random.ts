export { SeededRandom } from '@varve/bench'
