/** In light and dark, on wide screens and narrow ones; loads nothing. */
export const pageStyle: string = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5f6773; --rule: #d8dce2; --paper: #fff }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --soft: #9aa3af; --rule: #363c45; --paper: #15181c }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 54rem; margin: 2rem auto; padding: 0 1rem 3rem }
.soft, dt { color: var(--soft) }
figure { margin: 1.75rem 0 }
svg.plot { display: block; width: 100% }
svg text { fill: var(--ink) }
.grid { stroke: var(--rule) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1.2rem }
dd { margin: 0; overflow-wrap: anywhere }
.wide { overflow-x: auto }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums }
td, th { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid var(--rule) }
td:first-child, th:first-child { text-align: left; padding-left: 0 }
@media (max-width: 40rem) {
  body { font-size: 14px }
  .plot text { font-size: 17px }
  td, th { padding: .2rem .5rem }
}
`
