// What was done over this server, or refused, and by whom: the newest first, page by page.
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ask } from '../../api/client'
import type { AuditRow } from '../../api/schema'
import { EmptyFace, ErrorFace, GreyRows } from '../../parts/Faces'
import { Ago } from '../../parts/Time'
import { StateChip } from '../../parts/State'
import { words } from '../../words'

const w = words.settings

export function Audit({ actor }: { actor: string | undefined }) {
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['audit', actor],
    queryFn: ({ pageParam, signal }) => ask('list_audit', { query: { limit: 100, actor, ...(pageParam === null ? {} : { before: pageParam }) }, signal }),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next,
  })
  const entries = data?.pages.flatMap((page) => page.entries) ?? []
  return (
    <section aria-label={w.tabs.audit}>
      <div className="sect"><h2>{w.tabs.audit}</h2>{actor && <Chosen actor={actor} />}</div>
      {error && !data && <ErrorFace error={error} retry={() => void refetch()} />}
      {!data && !error && <GreyRows rows={8} />}
      {data && entries.length === 0 && <EmptyFace title={w.noAudit} hint={w.noAuditHint} />}
      {entries.length > 0 && (
        <div className="panel">
          <table className="audit">
            <thead><tr><th className="outcome">{w.outcome}</th><th>{w.action}</th><th className="target">{w.target}</th><th className="owner">{w.actor}</th><th className="wide address">{w.address}</th><th className="num at">{w.at}</th></tr></thead>
            <tbody>{entries.map((each) => <Row key={each.entry} entry={each} />)}</tbody>
          </table>
        </div>
      )}
      {hasNextPage && <p className="buttons"><button className="btn" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>{w.more}</button></p>}
    </section>
  )
}

function Chosen({ actor }: { actor: string }) {
  return <Link to="/settings" search={{ tab: 'audit' }} aria-label={words.runs.drop(`${w.actor} ${actor}`)}><span className="tag">{w.actor} {actor} ✕</span></Link>
}

function Row({ entry }: { entry: AuditRow }) {
  const [state, text] = entry.outcome < 400 ? ['completed', w.doneOutcome] : entry.outcome < 500 ? ['cancelled', w.refusedOutcome] : ['failed', w.failedOutcome]
  return (
    <tr>
      <td className="outcome" title={String(entry.outcome)}><StateChip state={state!} text={text!} /></td>
      <td className="mono cut">{entry.action}</td>
      <td className="target mono cut" title={entry.target}>{entry.target}</td>
      <td className="owner cut"><Link to="/settings" search={{ tab: 'audit', actor: entry.actor }} title={w.find}>{entry.actor}</Link></td>
      <td className="wide address mono tiny">{entry.address}</td>
      <td className="num at dim"><Ago at={entry.at} /></td>
    </tr>
  )
}
