export { medianOf, type Spread, spreadOf } from '@varve/bench'
