import { metColour, missedColour } from './drawing.ts'

/** Works in light and dark, on screens and on paper; loads nothing. */
export const pageStyle: string = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #6b7280; --rule: #d8dce2; --paper: #fff }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --soft: #9aa3af; --rule: #363c45; --paper: #15181c }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 76rem; margin: 0 auto; padding: 1rem 1.5rem 4rem }
h2 { border-top: 1px solid var(--rule); padding-top: 1rem; margin-top: 2.5rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; color: var(--soft) }
dd { margin: 0 }
figure { margin: 1rem 0 }
figcaption { font-weight: 600 }
.plots { display: flex; flex-wrap: wrap; gap: 1rem 2rem }
.plot { width: var(--w); max-width: 100% }
.plot svg { width: 100% }
@media (max-width: 45rem) {
  .plot { overflow-x: auto }
  .plot svg { min-width: min(var(--w), 42rem) }
}
svg text { fill: var(--ink); font-size: 11px }
.grid { stroke: var(--rule) }
.grid.one { stroke: var(--soft); stroke-width: 1.5 }
.tick { text-anchor: middle }
.tick.y, .label { text-anchor: end }
.axis { text-anchor: middle }
.curve { stroke: var(--c); fill: var(--c) }
.curve polyline { fill: none; stroke-width: 1.5 }
.curve .fit { stroke-dasharray: 5 4 }
.met { stroke: ${metColour}; fill: ${metColour} }
.missed { stroke: ${missedColour}; fill: ${missedColour} }
.asked { stroke: var(--ink); stroke-width: 2 }
.legend { list-style: none; padding: 0; margin: 0; font-size: 13px }
.legend li { display: inline-block; margin-right: 1rem }
.legend li::before { content: ''; display: inline-block; width: .8em; height: .8em;
  margin-right: .4em; background: var(--c); border-radius: 50% }
details { overflow-x: auto }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums }
td, th { border-bottom: 1px solid var(--rule); padding: .2rem .6rem; text-align: left;
  vertical-align: top }
`
