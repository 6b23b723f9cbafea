// What the list is narrowed to, as tokens that are in the address.
import { useQuery } from '@tanstack/react-query'
import { useCallback, useState } from 'react'
import { serverNow } from '../../api/client'
import { workflowsQuery } from '../../api/queries'
import { moment } from '../../parts/format'
import { Icon } from '../../parts/Icon'
import { useTyped } from '../../parts/typing'
import type { RunsSearch } from '../../routes'
import { words } from '../../words'
import { Narrowing } from './Narrowing'

const w = words.runs
/** Without a letter or a digit there is nothing to search for yet. */
const WORD = /[\p{L}\p{N}]/u
export const RANGES = { hour: w.hour, day: w.day, week: w.week }

export function Filters({ search, narrow, find }: { search: RunsSearch; narrow: (change: Partial<RunsSearch>) => void; find: React.RefObject<HTMLInputElement | null> }) {
  const tell = useCallback((wanted: string) => narrow({ text: wanted === '' ? undefined : wanted }), [narrow])
  const [text, setText] = useTyped(search.text ?? '', tell, (typed) => (WORD.test(typed) ? typed : ''))
  const [narrowing, setNarrowing] = useState(false)
  const workflows = useQuery(workflowsQuery)
  return (
    <div className="filters">
      <label className="find grow" style={{ maxWidth: 300 }}>
        <Icon name="search" small />
        <input ref={find} aria-label={w.find} placeholder={w.findHint} maxLength={200} value={text} onChange={(event) => setText(event.target.value)} />
        <kbd aria-hidden="true">/</kbd>
      </label>
      <span className="tok">
        <label htmlFor="f-workflow">{w.workflow}</label>
        <select id="f-workflow" value={search.workflow ?? ''} onChange={(event) => narrow({ workflow: event.target.value || undefined })}>
          <option value="">{w.anyWorkflow}</option>
          {named(search.workflow, (workflows.data ?? []).map((each) => each.name)).map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </span>
      <span className="tok">
        <label htmlFor="f-started">{w.started}</label>
        <select id="f-started" value={search.range ?? ''} onChange={(event) => narrow({ range: (event.target.value || undefined) as RunsSearch['range'], from: undefined, to: undefined })}>
          <option value="">{w.ever}</option>
          {Object.entries(RANGES).map(([key, name]) => (
            <option key={key} value={key}>{`${w.range} ${name}`}</option>
          ))}
        </select>
      </span>
      {search.from !== undefined && <Between search={search} narrow={narrow} />}
      {search.id !== undefined && <Token what={w.idBegins} value={search.id} drop={() => narrow({ id: undefined })} />}
      {(search.attribute ?? []).map((each) => (
        <Token key={each} what={w.attribute} value={each} drop={() => narrow({ attribute: search.attribute?.filter((other) => other !== each) })} />
      ))}
      {(search.state ?? []).map((each) => (
        <Token key={each} what={w.state.toLowerCase()} value={each} drop={() => narrow({ state: search.state?.filter((other) => other !== each) })} />
      ))}
      <button className="btn quiet" onClick={() => setNarrowing(true)}><Icon name="filter" small />{w.filter}</button>
      {narrowing && <Narrowing search={search} narrow={narrow} close={() => setNarrowing(false)} />}
    </div>
  )
}

function named(chosen: string | undefined, names: string[]): string[] {
  return chosen === undefined || names.includes(chosen) ? names : [...names, chosen]
}

/** A stretch of time that was chosen in the histogram. */
export function Between({ search, narrow }: { search: RunsSearch; narrow: (change: Partial<RunsSearch>) => void }) {
  const now = serverNow()
  const to = search.to === undefined ? words.time.now : moment(search.to, now)
  return <Token what={w.started} value={w.between(moment(search.from ?? 0, now), to)} drop={() => narrow({ from: undefined, to: undefined })} />
}

export function Token({ what, value, drop }: { what: string; value: string; drop: () => void }) {
  return (
    <span className="tok">
      <span className="dim">{what}</span>
      <span>{value}</span>
      <button onClick={drop} aria-label={w.drop(`${what} ${value}`)}>
        <Icon name="x" small />
      </button>
    </span>
  )
}
