// The workflows that are served here: what each takes, what it did lately, and its source.
import { useQuery } from '@tanstack/react-query'
import { Link, useSearch } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { useAllowed } from '../../api/allowed'
import { workflowQuery, workflowsQuery } from '../../api/queries'
import type { WorkflowView } from '../../api/schema'
import { useFrame } from '../../frame/opening'
import { Top } from '../../frame/Top'
import { EmptyFace, ErrorFace, GreyRows } from '../../parts/Faces'
import { oneLine } from '../../parts/format'
import { Icon } from '../../parts/Icon'
import { field, resolved, type Defs, type Field, type Schema } from '../../parts/schema'
import { words } from '../../words'
import { Grid } from './Grid'
import { Source } from './Source'
import './workflows.css'

const Outline = lazy(() => import('./Outline'))
const w = words.workflows

export default function Workflows() {
  const { name } = useSearch({ from: '/workflows' })
  const { data, error, refetch } = useQuery(workflowsQuery)
  const chosen = data?.find((each) => each.name === name) ?? (name === undefined ? data?.[0] : undefined)
  return (
    <main id="content" tabIndex={-1}>
      <Top title={w.title} start />
      {error && !data && <ErrorFace error={error} retry={() => void refetch()} />}
      {!data && !error && <GreyRows />}
      {data?.length === 0 && <EmptyFace title={w.none} hint={w.noneHint} code={w.sample} />}
      {data && data.length > 0 && (
        <div className={`wfs ${name !== undefined ? 'picked' : ''}`}>
          <ul className="inbox" aria-label={w.title}>{data.map((each) => <Item key={each.name} workflow={each} current={each.name === chosen?.name} />)}</ul>
          {chosen ? <Detail key={chosen.name} workflow={chosen} /> : <section className="wf"><EmptyFace title={w.noSuch(name ?? '')} hint={w.noSuchHint} /></section>}
        </div>
      )}
    </main>
  )
}

function Item({ workflow, current }: { workflow: WorkflowView; current: boolean }) {
  return (
    <li>
      <Link className={`task ${current ? 'cur' : ''}`} to="/workflows" search={{ name: workflow.name }} aria-current={current ? 'true' : undefined}>
        <div className="mono b cut">{workflow.name}</div>
        <div className="small dim cut">{workflow.summary}</div>
      </Link>
    </li>
  )
}

function Detail({ workflow }: { workflow: WorkflowView }) {
  const { open } = useFrame()
  const may = useAllowed()
  const detail = useQuery(workflowQuery(workflow.name))
  const [line, setLine] = useState<number>()
  return (
    <section className="wf" aria-label={workflow.name}>
      <div className="row head">
        <h2 className="mono cut">{workflow.name}</h2>
        <span className="tiny faint mono">{w.version} {workflow.version.slice(0, 12)}</span>
        <span className="grow" />
        {may('runs:start') && <button className="btn primary" onClick={() => open('start', workflow.name)}><Icon name="play" small />{w.start}</button>}
      </div>
      {detail.data?.documentation && <p className="dim doc">{detail.data.documentation}</p>}
      <div className="sect"><h2>{words.grid.title}</h2><Link className="more link" to="/runs" search={{ workflow: workflow.name }}>{w.runs}</Link></div>
      <Grid name={workflow.name} />
      <div className="sect"><h2>{words.outline.title}</h2></div>
      <Suspense fallback={<div className="panel outline" style={{ height: 200 }} />}><Outline name={workflow.name} line={line} choose={setLine} /></Suspense>
      {workflow.parameters.length > 0 && <><div className="sect"><h2>{w.input}</h2></div><div className="panel pad"><Fields schema={workflow.input as Schema} defs={(workflow.input as Schema).$defs ?? {}} depth={0} /></div></>}
      <div className="sect"><h2>{w.source}</h2>{detail.data?.place && <span className="tiny faint mono cut" title={detail.data.place}>{w.place} {detail.data.place.split('/').slice(-2).join('/')}</span>}</div>
      {detail.error && <ErrorFace error={detail.error} />}
      {detail.data && <Source text={detail.data.source} line={line} />}
    </section>
  )
}

/** The arguments with their types, as a tree of at most three levels. */
function Fields({ schema, defs, depth }: { schema: Schema; defs: Defs; depth: number }) {
  const { schema: inner } = resolved(schema, defs)
  const kind = field('', inner)
  if (kind.kind === 'list') return <Fields schema={kind.items} defs={defs} depth={depth} />
  if (kind.kind !== 'object' || depth > 2) return null
  return (
    <ul>
      {kind.fields.map(([name, each, required]) => (
        <li key={name} style={{ paddingLeft: depth ? 16 : 0 }}>
          <span className="arg"><span className="mono b">{name}</span><span className="mono dim">{typeOf(each, defs)}</span>{required && <span className="tiny faint">{words.form.required}</span>}{'default' in each && <span className="tiny faint mono cut">= {oneLine(each.default)}</span>}</span>
          <Fields schema={each} defs={defs} depth={depth + 1} />
        </li>
      ))}
    </ul>
  )
}

function typeOf(schema: Schema, defs: Defs): string {
  const { schema: inner, optional } = resolved(schema, defs)
  const kind = field('', inner)
  const name = nameOf(kind, inner, defs)
  return optional ? `${name}?` : name
}

function nameOf(kind: Field, schema: Schema, defs: Defs): string {
  switch (kind.kind) {
    case 'choice': return kind.options.map((each) => JSON.stringify(each)).join(' | ')
    case 'union': return kind.of.map((each) => typeOf(each, defs)).join(' | ')
    case 'list': return `${typeOf(kind.items, defs)}[]`
    case 'places': return `[${kind.items.map((each) => typeOf(each, defs)).join(', ')}]`
    case 'entries': return `{key: ${typeOf(kind.items, defs)}}`
    case 'object': return schema.title ?? 'object'
    default: return schema.format ?? schema.type ?? 'any'
  }
}
