// What a run has attached for people to look at, each kind in its own way.
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { artifactsQuery, artifactQuery } from '../../api/queries'
import type { ArtifactView, RunPicture } from '../../api/schema'
import { EmptyFace, ErrorFace, GreyRows } from '../../parts/Faces'
import { size } from '../../parts/format'
import { Markdown, SafeLink } from '../../parts/Markdown'
import { words } from '../../words'

const w = words.artifacts

export default function Artifacts({ picture }: { picture: RunPicture }) {
  const run = picture.run.run
  const { data, error, refetch } = useQuery(artifactsQuery(run))
  if (error && !data) return <ErrorFace error={error} retry={() => void refetch()} />
  if (!data) return <GreyRows />
  if (data.length === 0) return <EmptyFace title={w.none} hint={w.hint} code={w.sample} />
  return (
    <div className="overflow artifacts" tabIndex={0} role="group" aria-label={words.run.tabs.artifacts}>
      {data.map((each) => <One key={each.name} artifact={each} run={run} />)}
    </div>
  )
}

function One({ artifact, run }: { artifact: ArtifactView; run: number }) {
  const [wanted, setWanted] = useState(false)
  const whole = useQuery({ ...artifactQuery(run, artifact.name), enabled: wanted && artifact.cut })
  const shown = artifact.cut ? whole.data : artifact
  return (
    <section className="artifact" aria-label={artifact.title || artifact.name}>
      <h2>{artifact.title || <span className="mono">{artifact.name}</span>} <span className="tiny faint mono">{artifact.by || words.run.workflowLog}</span></h2>
      {shown ? <Shown artifact={shown} /> : (
        <p className="tiny dim loadable">{words.json.cut(size(artifact.size))}<button className="btn" onClick={() => setWanted(true)} disabled={whole.isFetching}>{words.json.load}</button></p>
      )}
      {whole.error && <p className="err">{whole.error.message}</p>}
    </section>
  )
}

function Shown({ artifact }: { artifact: ArtifactView }) {
  switch (artifact.kind) {
    case 'table':
      return <Table rows={artifact.value as Record<string, unknown>[]} name={artifact.title || artifact.name} />
    case 'markdown':
      return <Markdown text={String(artifact.value)} />
    case 'link':
      return <p><SafeLink to={String(artifact.value)}>{String(artifact.value)}</SafeLink></p>
    case 'image':
      return <img src={`data:${artifact.media_type};base64,${artifact.data}`} alt={artifact.title || artifact.name} />
    case 'progress':
      return <Progress {...(artifact.value as { done: number; total: number | null })} name={artifact.title || artifact.name} />
  }
}

function Progress({ done, total, name }: { done: number; total: number | null; name: string }) {
  return (
    <div className="row small">
      {total !== null && <progress max={total || 1} value={done} aria-label={name} />}
      <span className="num">{total === null ? done.toLocaleString() : words.run.of(done, total)}</span>
    </div>
  )
}

function Table({ rows, name }: { rows: Record<string, unknown>[]; name: string }) {
  const [most, setMost] = useState(100)
  const columns = [...new Set(rows.slice(0, 1000).flatMap((row) => Object.keys(row)))]
  return (
    <div className="panel scrolled" tabIndex={0} role="group" aria-label={name}>
      <table>
        <thead><tr>{columns.map((each) => <th key={each} className={typeof rows[0]?.[each] === 'number' ? 'num' : ''}>{each}</th>)}</tr></thead>
        <tbody>{rows.slice(0, most).map((row, i) => <tr key={i}>{columns.map((each) => <td key={each} className={typeof row[each] === 'number' ? 'num' : ''}>{typeof row[each] === 'object' && row[each] !== null ? JSON.stringify(row[each]) : String(row[each] ?? '')}</td>)}</tr>)}</tbody>
      </table>
      {rows.length > most && <button className="btn quiet" onClick={() => setMost(most * 10)}>{words.json.more(rows.length - most)}</button>}
    </div>
  )
}
