// The last runs of a workflow by step: a column for each run, the newest at the left, a row for each step.
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { gridQuery } from '../../api/queries'
import type { Grid as GridData, GridCell, GridRun, GridStep } from '../../api/schema'
import { ErrorFace } from '../../parts/Faces'
import { absolute, duration } from '../../parts/format'
import { StateIcon, stateWord, tone } from '../../parts/State'
import { useNow } from '../../parts/Time'
import { words } from '../../words'

const w = words.grid

export function Grid({ name }: { name: string }) {
  const { data, error, refetch } = useQuery(gridQuery(name))
  if (error && !data) return <ErrorFace error={error} retry={() => void refetch()} />
  if (!data) return <div className="panel" style={{ height: 160 }} />
  if (data.runs.length === 0) return <p className="panel pad small dim">{words.runs.first}</p>
  return <Table grid={data} />
}

function Table({ grid }: { grid: GridData }) {
  const now = useNow()
  const columns = grid.runs.map((run) => new Map(run.cells.map((cell) => [cell.step, cell])))
  const longest = Math.max(1, ...grid.runs.map((run) => length(run, now)))
  const spans = grid.steps.map((_, i) => spread(columns.flatMap((cells) => cells.get(i)?.took ?? [])))
  const slowest = Math.max(1, ...spans.map((each) => each?.most ?? 0))
  return (
    <div className="panel overflow runsteps" tabIndex={0} role="group" aria-label={w.title}>
      <table>
        <thead>
          <tr>
            <th scope="col" className="step">{w.step}</th>
            <th scope="col" className="spread">{w.took}</th>
            {grid.runs.map((run) => <Head key={run.run} run={run} share={Math.log1p(length(run, now) / 1e4) / Math.log1p(longest / 1e4)} now={now} />)}
          </tr>
        </thead>
        <tbody>
          {grid.steps.map((step, i) => (
            <tr key={`${step.name} ${step.undo}`} className={step.undo && !grid.steps[i - 1]?.undo ? 'first-undo' : ''}>
              <th scope="row" className="step mono cut" title={called(step)}>{step.undo && <StateIcon state="compensating" />}{called(step)}</th>
              <td className="spread">{spans[i] && <Spread of={spans[i]} most={slowest} />}</td>
              {grid.runs.map((run, j) => <Cell key={run.run} run={run} cell={columns[j]!.get(i)} step={called(step)} />)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function called(step: GridStep): string {
  return step.kind === 'task' ? w.asks(step.name) : step.name
}

function length(run: GridRun, now: number): number {
  return Math.max(0, (run.closed_at ?? now) - run.started_at)
}

/** A run: a bar as high as it was long, on a log scale, in the colour of its state; its icon says the state without colour. */
function Head({ run, share, now }: { run: GridRun; share: number; now: number }) {
  const text = [run.id, stateWord(run.state), duration(length(run, now)), absolute(run.started_at), run.cut ? w.cut : ''].filter(Boolean).join(', ')
  return (
    <th scope="col" className={tone(run.state)}>
      <Link to="/runs/$run" params={{ run: String(run.run) }} title={text} aria-label={text}>
        <i style={{ height: Math.max(2, Math.round(34 * share)) }} />
        <StateIcon state={run.state} />
      </Link>
    </th>
  )
}

function Cell({ run, cell, step }: { run: GridRun; cell: GridCell | undefined; step: string }) {
  if (!cell) return <td />
  const parts = [step, stateWord(cell.state), cell.took === null ? '' : duration(cell.took), cell.calls > 1 ? w.calls(cell.calls, cell.failed) : '', cell.attempts > 1 ? words.run.attempts(cell.attempts) : '', run.id]
  const text = parts.filter(Boolean).join(', ')
  return (
    <td className={tone(cell.state)}>
      <Link to="/runs/$run" params={{ run: String(run.run) }} search={{ step: cell.key }} title={text} aria-label={text}>
        <StateIcon state={cell.state} />
        {cell.attempts > 1 && cell.calls === 1 && <sup aria-hidden="true">{cell.attempts}</sup>}
        {cell.calls > 1 && <sup aria-hidden="true">{cell.calls > 99 ? '+' : cell.calls}</sup>}
      </Link>
    </td>
  )
}

interface Lengths {
  least: number
  middle: number
  most: number
}

function spread(lengths: number[]): Lengths | null {
  if (lengths.length === 0) return null
  const sorted = [...lengths].sort((a, b) => a - b)
  return { least: sorted[0]!, middle: sorted[Math.floor((sorted.length - 1) / 2)]!, most: sorted[sorted.length - 1]! }
}

/** From the shortest to the longest on a log scale, the middle marked; beside it the middle as a figure. */
function Spread({ of, most }: { of: Lengths; most: number }) {
  const place = (us: number) => (100 * Math.log(Math.max(us, 1000) / 1000)) / Math.log(Math.max(most, 10_000) / 1000)
  return (
    <span className="row" title={w.spread(duration(of.least), duration(of.middle), duration(of.most))}>
      <span className="num">{duration(of.middle)}</span>
      <span className="box" aria-hidden="true">
        <i style={{ left: `${place(of.least)}%`, width: `${Math.max(2, place(of.most) - place(of.least))}%` }} />
        <b style={{ left: `${place(of.middle)}%` }} />
      </span>
    </span>
  )
}
