// The namespaces that whoever looks has a role in: what each is for, how long its ended runs are kept, what is open.
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { addressIn, remember } from '../../api/place'
import { namespacesQuery } from '../../api/queries'
import type { NamespaceList, NamespaceView, SessionView } from '../../api/schema'
import { EmptyFace, ErrorFace, GreyRows } from '../../parts/Faces'
import { StateChip } from '../../parts/State'
import { words } from '../../words'
import { kept } from './kept'
import { NamespaceForm } from './NamespaceForm'

const w = words.namespaces

export function Namespaces({ session }: { session: SessionView }) {
  const { data, error, refetch } = useQuery(namespacesQuery)
  const acts = data?.namespaces.some((each) => each.may_change) ?? false
  return (
    <section aria-label={w.title}>
      <div className="sect"><h2>{w.title}</h2><span className="tiny faint cut">{w.hint}</span></div>
      {error && !data && <ErrorFace error={error} retry={() => void refetch()} />}
      {!data && !error && <GreyRows rows={4} />}
      {data?.namespaces.length === 0 && <EmptyFace title={w.noneHere} hint={w.none} />}
      {data && data.namespaces.length > 0 && (
        <div className="panel">
          <table className="spaces">
            <thead><tr><th>{w.namespace}</th><th className="keeps">{w.ended}</th><th className="num count">{w.open}</th><th className="num count">{w.incidents}</th>{acts && <th className="buttons"><span className="sr">{words.settings.actions}</span></th>}</tr></thead>
            <tbody>{data.namespaces.map((each) => <Row key={each.name} of={each} list={data} here={each.name === session.namespace} acts={acts} />)}</tbody>
          </table>
        </div>
      )}
      {data?.namespaces.length === 1 && <EmptyFace title={w.one} hint={w.oneHint} code={w.oneSample} />}
    </section>
  )
}

function Row({ of, list, here, acts }: { of: NamespaceView; list: NamespaceList; here: boolean; acts: boolean }) {
  const [open, setOpen] = useState(false)
  const { own, most } = list
  const count = (n: number) => (n < most ? n.toLocaleString() : `${most.toLocaleString()}+`)
  return (
    <tr>
      <td>
        <a className="mono b" href={addressIn(of.name, own)} onClick={() => remember(of.name, own)} aria-current={here ? 'page' : undefined}>{of.name}</a>
        {here && <> <span className="tag">{w.here}</span></>}
        {of.name === own && <span className="tiny faint wide"> {w.own}</span>}
        {of.description !== '' && <p className="said dim">{of.description}</p>}
        <div className="keepsbelow"><Kept of={of} list={list} /></div>
      </td>
      <td className="keeps"><Kept of={of} list={list} /></td>
      <td className="num count">{count(of.open)}</td>
      <td className="num count">{of.incidents === 0 ? <span className="faint">0</span> : <StateChip state="incident" text={count(of.incidents)} />}</td>
      {acts && (
        <td className="buttons">
          {of.may_change && <button className="btn quiet" onClick={() => setOpen(true)} aria-label={w.edit(of.name)}>{w.editShort}</button>}
          {open && <NamespaceForm of={of} settings={list.retention} close={() => setOpen(false)} />}
        </td>
      )}
    </tr>
  )
}

/** In a sentence; where the settings say it, what they say on this server. */
function Kept({ of, list }: { of: NamespaceView; list: NamespaceList }) {
  if (of.retention !== null) return <>{kept(of.retention)}</>
  return <>{w.bySettings} <span className="tiny faint">{w.bySettingsHere(kept(list.retention))}</span></>
}
