// A decision and how it came about: every decision on the way, and for each table the rules that matched.
import type { CallView, ValueView } from '../../api/schema'
import { oneLine, size } from '../../parts/format'
import { Loadable } from '../../parts/Json'
import { words } from '../../words'

const w = words.decision

interface Hit {
  rule: number
  outputs: Record<string, unknown>
  annotations: Record<string, string>
}

interface Asked {
  place: string
  hit_policy: string
  inputs: Record<string, unknown>
  hits: Hit[]
}

interface Made {
  name: string
  value: unknown
  tables: Asked[]
}

export interface Told {
  decisions: Made[]
  warnings: string[]
}

/** What the explanation says, if it is at hand and can be read. */
export function told(value: ValueView | null | undefined): Told | undefined {
  const found = value && 'value' in value ? (value.value as Partial<Told> | null) : null
  return found && Array.isArray(found.decisions) ? { decisions: found.decisions, warnings: found.warnings ?? [] } : undefined
}

/** What it gave, and by which rules of its own tables, in few words. */
export function verdict(call: CallView): string {
  if (!call.result) return ''
  const gave = 'value' in call.result ? oneLine(call.result.value) : size(call.result.bytes)
  const made = told(call.explanation)?.decisions.at(-1)
  const rules = made?.tables.filter((each) => each.place === made.name).flatMap((each) => each.hits.map((hit) => hit.rule)) ?? []
  return rules.length > 0 ? w.by(gave, rules) : gave
}

export function Explanation({ value, run }: { value: ValueView; run: number }) {
  const known = told(value)
  if (known) return <Tables told={known} />
  if (value.cut && value.seq != null) return <Loadable value={value} run={run} show={(loaded) => <Loaded value={loaded} />} />
  return <p className="tiny dim">{words.json.sealed}</p>
}

function Loaded({ value }: { value: ValueView }) {
  const known = told(value)
  return known ? <Tables told={known} /> : <p className="tiny dim">{words.json.sealed}</p>
}

function Tables({ told: { decisions, warnings } }: { told: Told }) {
  return (
    <div className="decided">
      {decisions.map((made, i) => (
        <div key={i}>
          <p className="mono small"><b>{made.name}</b> = {text(made.value)}</p>
          {made.tables.map((asked, j) => <Rules key={j} asked={asked} decision={made.name} />)}
        </div>
      ))}
      {warnings.map((warning, i) => <p key={i} className="tiny dim">{w.because(warning)}</p>)}
    </div>
  )
}

/** One row per rule that matched; what was asked stands in each, so that a row can be read by itself. */
function Rules({ asked, decision }: { asked: Asked; decision: string }) {
  const inputs = Object.entries(asked.inputs)
  const outputs = [...new Set(asked.hits.flatMap((hit) => Object.keys(hit.outputs)))]
  const notes = [...new Set(asked.hits.flatMap((hit) => Object.keys(hit.annotations)))]
  const title = asked.place === decision ? asked.hit_policy : `${asked.place}, ${asked.hit_policy}`
  return (
    <div className="t" tabIndex={0} role="group" aria-label={`${decision}, ${title}`}>
      <table>
        <caption>{title}</caption>
        <thead>
          <tr><th>{w.rule}</th>{[...inputs.map(([name]) => name), ...outputs, ...notes].map((name, i) => <th key={i} title={name}>{name}</th>)}</tr>
        </thead>
        <tbody>
          {asked.hits.length === 0 && <tr><td>{w.none}</td>{inputs.map(([name, given]) => <td key={name}>{text(given)}</td>)}</tr>}
          {asked.hits.map((hit, i) => (
            <tr key={i}>
              <td className="num">{hit.rule}</td>
              {inputs.map(([name, given]) => <td key={name} title={text(given)}>{text(given)}</td>)}
              {outputs.map((name) => <td key={name} className="b" title={text(hit.outputs[name])}>{text(hit.outputs[name])}</td>)}
              {notes.map((name) => <td key={name} className="dim" title={hit.annotations[name]}>{hit.annotations[name]}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function text(value: unknown): string {
  return value === null || value === undefined ? 'null' : oneLine(value)
}
