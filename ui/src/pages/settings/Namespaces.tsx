// The namespaces that whoever looks has a role in, with what is open in each and what stands still.
import { useQuery } from '@tanstack/react-query'
import { addressIn, remember } from '../../api/place'
import { namespacesQuery } from '../../api/queries'
import type { NamespaceView, SessionView } from '../../api/schema'
import { ErrorFace, GreyRows } from '../../parts/Faces'
import { StateChip } from '../../parts/State'
import { words } from '../../words'

const w = words.namespaces

export function Namespaces({ session }: { session: SessionView }) {
  const { data, error, refetch } = useQuery(namespacesQuery)
  return (
    <section aria-label={w.title}>
      <div className="sect"><h2>{w.title}</h2><span className="tiny faint cut">{w.hint}</span></div>
      {error && !data && <ErrorFace error={error} retry={() => void refetch()} />}
      {!data && !error && <GreyRows rows={4} />}
      {data && (
        <div className="panel">
          <table>
            <thead><tr><th>{w.namespace}</th><th className="num value">{w.open}</th><th className="num value">{w.incidents}</th></tr></thead>
            <tbody>{data.namespaces.map((each) => <Row key={each.name} of={each} own={data.own} most={data.most} here={each.name === session.namespace} />)}</tbody>
          </table>
        </div>
      )}
    </section>
  )
}

function Row({ of, own, most, here }: { of: NamespaceView; own: string; most: number; here: boolean }) {
  const count = (n: number) => (n < most ? n.toLocaleString() : `${most.toLocaleString()}+`)
  return (
    <tr>
      <td>
        <a className="mono b" href={addressIn(of.name, own)} onClick={() => remember(of.name, own)} aria-current={here ? 'page' : undefined}>{of.name}</a>
        {here && <> <span className="tag">{w.here}</span></>}
        {of.name === own && <span className="tiny faint wide"> {w.own}</span>}
      </td>
      <td className="num value">{count(of.open)}</td>
      <td className="num value">{of.incidents === 0 ? <span className="faint">0</span> : <StateChip state="incident" text={count(of.incidents)} />}</td>
    </tr>
  )
}
