// A chart over time: one question, at most three lines, each named on itself; the figures stand in its heading.
import { useEffect, useRef } from 'react'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { words } from '../words'
import { moment } from './format'
import './chart.css'

export interface Line {
  name: string
  values: (number | null)[]
  /** The token that colours it. */
  color: string
  bars?: boolean
  dash?: number[]
  /** Its name is written on it. */
  named?: boolean
}

export interface Mark {
  at: number
  text: string
}

interface Props {
  label: string
  /** Where each value begins (µs), and how long it is for. */
  at: number[]
  bar: number
  lines: Line[]
  format: (value: number) => string
  log?: boolean
  /** The least that the axis shows of. */
  atLeast?: number
  marks?: Mark[]
  /** It reaches up to now. */
  now?: boolean
  height?: number
  /** Without the axis of values. */
  bare?: boolean
  hover?: (index: number | null) => void
  choose?: (from: number, to: number) => void
}

const US = 1_000_000

export function Chart(props: Props) {
  const place = useRef<HTMLDivElement>(null)
  const chart = useRef<UPlot | null>(null)
  const current = useRef(props)
  current.current = props
  const shape = `${props.lines.map((each) => `${each.name}${each.bars}`).join()} ${props.log} ${props.bare}`
  useEffect(() => {
    const made = (chart.current = new UPlot(options(current, place.current!), data(current.current), place.current!))
    const sized = new ResizeObserver(() => made.setSize({ width: place.current?.clientWidth ?? 0, height: current.current.height ?? HEIGHT }))
    sized.observe(place.current!)
    const forget = onScheme(() => made.redraw())
    return () => {
      sized.disconnect()
      forget()
      made.destroy()
      chart.current = null
    }
  }, [shape])
  useEffect(() => chart.current?.setData(data(props)), [props])
  return (
    <>
      <div className="plot" role="img" aria-label={props.label} ref={place} style={{ height: props.height ?? HEIGHT }} />
      <Table {...props} />
    </>
  )
}

const HEIGHT = 118
/** Pixels that a label needs for itself. */
const LABEL = 12

/** The same for who cannot see it. */
function Table({ label, at, lines, format }: Props) {
  const now = (at[at.length - 1] ?? 0) + 1
  const shown = at.map((_, i) => i).filter((i) => lines.some((line) => line.values[i]))
  return (
    <table className="sr">
      <caption>{label}</caption>
      <tbody>
        {shown.map((i) => <tr key={i}><th scope="row">{moment(at[i]!, now)}</th>{lines.map((line) => <td key={line.name}>{line.name} {line.values[i] == null ? '' : format(line.values[i])}</td>)}</tr>)}
      </tbody>
    </table>
  )
}

function data({ at, bar, lines }: Props): UPlot.AlignedData {
  // The middle of what a value is for: a bar stands there, and so does the point of a line.
  return [at.map((each) => (each + bar / 2) / US), ...lines.map((line) => line.values)] as UPlot.AlignedData
}

function options(props: { current: Props }, place: HTMLElement): UPlot.Options {
  const { lines, log, bare, height } = props.current
  const axis = { stroke: () => color(place, '--text3'), font: font(place), ticks: { show: false } }
  return {
    width: place.clientWidth,
    height: height ?? HEIGHT,
    padding: [8, bare ? 0 : 4, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: props.current.choose !== undefined, y: false, setScale: false } },
    scales: {
      x: { time: true, range: () => [props.current.at[0]! / US, (props.current.at[props.current.at.length - 1]! + props.current.bar) / US] },
      y: log
        ? { distr: 3, range: (_, min, max) => [10 ** Math.floor(Math.log10(Math.max(1000, min ?? 1000))), 10 ** Math.ceil(Math.log10(Math.max(10_000, (max ?? 10_000) * 1.01)))] }
        : { range: (_, __, max) => [0, Math.max(props.current.atLeast ?? 1, (max ?? 0) * 1.1)] },
    },
    axes: [
      { ...axis, size: 20, gap: 4, space: 80, grid: { show: false }, filter: (chart, splits) => splits.map((each) => (clear(chart, each, props.current.now === true) ? each : null)), values: (_, splits) => once(splits.map((each) => (each == null ? '' : hour(each * US, props.current.at)))) },
      { ...axis, show: !bare, side: 1, size: 46, gap: 6, space: 30, grid: { stroke: () => color(place, '--line'), width: 1 }, ...(log ? { splits: (_: UPlot, __: number, min: number, max: number) => powers(min, max) } : {}), values: (_, splits) => splits.map((each) => (each == null ? '' : props.current.format(each))) },
    ],
    series: [{}, ...lines.map((_, i) => series(props, i, place))],
    hooks: {
      draw: [(chart) => annotate(chart, props.current, place)],
      setCursor: [(chart) => props.current.hover?.(chart.cursor.left != null && chart.cursor.left >= 0 ? (chart.cursor.idx ?? null) : null)],
      setSelect: [
        (chart) => {
          if (chart.select.width < 4) return
          props.current.choose?.(chart.posToVal(chart.select.left, 'x') * US, chart.posToVal(chart.select.left + chart.select.width, 'x') * US)
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
        },
      ],
    },
  }
}

function series(props: { current: Props }, index: number, place: HTMLElement): UPlot.Series {
  const line = props.current.lines[index]!
  const paint = () => color(place, props.current.lines[index]?.color ?? line.color)
  const dots: UPlot.Series.Points = { show: (chart, i) => !line.bars && lonely(chart.data[i] as (number | null)[]), size: 4, fill: paint, stroke: paint }
  if (line.bars) return { stroke: paint, fill: paint, width: 0, points: { show: false }, paths: UPlot.paths.bars!({ size: [0.72, 24], gap: 0 }) }
  return { stroke: paint, width: 1.5, spanGaps: true, points: dots, ...(line.dash ? { dash: line.dash } : {}) }
}

/** The powers of ten of an axis; where they are many, each second one. */
function powers(min: number, max: number): number[] {
  const [first, last] = [Math.round(Math.log10(min)), Math.round(Math.log10(max))]
  const step = last - first > 4 ? 2 : 1
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => 10 ** (first + i * step))
}

/** Whether a tick's text has room: at the edges, and before the word for now, it would be cut or run into another. */
function clear(chart: UPlot, at: number, now: boolean): boolean {
  const x = chart.valToPos(at, 'x')
  return x > 16 && x < chart.bbox.width / devicePixelRatio - (now ? 48 : 16)
}

/** Of ticks that read the same (many within a second), the first. */
function once(texts: string[]): string[] {
  return texts.map((each, i) => (texts.indexOf(each) === i ? each : ''))
}

/** A line of a single point is none: it is drawn as a dot. */
function lonely(values: (number | null)[]): boolean {
  return values.filter((each) => each !== null).length === 1
}

/** Labels with room between them, in the order in which they stand: whichever is too near to the one below it goes up,
 * and where there is no more room above, all of them go down. */
export function apart<T extends { y: number }>(labels: readonly T[], room: number, top: number): T[] {
  const placed: T[] = []
  // Of lines that are equal, the last one lies at the bottom: p50, then p95, then p99.
  for (const each of [...labels].reverse().sort((a, b) => b.y - a.y)) {
    const below = placed[placed.length - 1]
    placed.push(below && below.y - each.y < room ? { ...each, y: below.y - room } : each)
  }
  let over = top
  return placed.reverse().map((each) => {
    const y = Math.max(each.y, over)
    over = y + room
    return { ...each, y }
  })
}

/** The names of the lines, and dashed marks where something changed. */
function annotate(chart: UPlot, { lines, marks, now }: Props, place: HTMLElement): void {
  const { ctx, bbox } = chart
  ctx.save()
  ctx.font = `${11 * devicePixelRatio}px ${getComputedStyle(place).fontFamily}`
  ctx.fillStyle = color(place, '--text3')
  ctx.textBaseline = 'bottom'
  const named = [...lines.entries()].flatMap(([i, line]) => {
    const at = line.named ? line.values.findIndex((each) => each !== null) : -1
    if (at < 0) return []
    return [{ name: line.name, x: chart.valToPos((chart.data[0] as number[])[at]!, 'x', true), y: chart.valToPos((chart.data[i + 1] as number[])[at]!, 'y', true) - 3 * devicePixelRatio }]
  })
  for (const { name, x, y } of apart(named, LABEL * devicePixelRatio, bbox.top + LABEL * devicePixelRatio)) {
    ctx.textAlign = x > bbox.left + bbox.width - 40 * devicePixelRatio ? 'right' : 'left'
    ctx.strokeStyle = color(place, '--surface')
    ctx.lineWidth = 3 * devicePixelRatio
    ctx.strokeText(name, x, y)
    ctx.fillText(name, x, y)
  }
  if (now) {
    ctx.textAlign = 'right'
    ctx.fillText(words.time.now, bbox.left + bbox.width, bbox.top + bbox.height + 17 * devicePixelRatio)
  }
  ctx.lineWidth = devicePixelRatio
  ctx.strokeStyle = color(place, '--text3')
  ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio])
  for (const mark of marks ?? []) {
    const x = chart.valToPos(mark.at / US, 'x', true)
    ctx.textAlign = x - bbox.left < 90 * devicePixelRatio ? 'left' : 'right'
    ctx.fillText(mark.text, x + (ctx.textAlign === 'left' ? 5 : -5) * devicePixelRatio, bbox.top + 8 * devicePixelRatio)
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
  }
  ctx.restore()
}

/** A tick of the axis of time: the hour, or the day where the days are many. */
function hour(at: number, range: number[]): string {
  const date = new Date(at / 1000)
  const long = (range[range.length - 1] ?? 0) - (range[0] ?? 0)
  if (long > 3 * 86_400 * US) return date.toLocaleDateString(undefined, { day: 'numeric', month: 'short' })
  const seconds = long < 300 * US ? ({ second: '2-digit' } as const) : {}
  return date.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', hour12: false, ...seconds })
}

function font(place: HTMLElement): string {
  return `11px ${getComputedStyle(place).fontFamily}`
}

/** A token as the canvas can read it, in the scheme of the moment. */
function color(place: HTMLElement, token: string): string {
  place.style.setProperty('color', `var(${token})`)
  return getComputedStyle(place).color
}

/** The colours of a canvas do not follow the scheme by themselves. */
function onScheme(act: () => void): () => void {
  const system = matchMedia('(prefers-color-scheme: dark)')
  const chosen = new MutationObserver(act)
  system.addEventListener('change', act)
  chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] })
  return () => {
    system.removeEventListener('change', act)
    chosen.disconnect()
  }
}
