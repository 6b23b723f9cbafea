// What this server goes by: its database, its settings, how long runs are kept. To be read, not changed.
import { useQuery } from '@tanstack/react-query'
import { systemQuery } from '../../api/queries'
import type { RetentionView, SettingView } from '../../api/schema'
import { ErrorFace, GreyRows } from '../../parts/Faces'
import { duration } from '../../parts/format'
import { words } from '../../words'

const w = words.settings

export function System() {
  const { data, error, refetch } = useQuery(systemQuery)
  if (error && !data) return <ErrorFace error={error} retry={() => void refetch()} />
  if (!data) return <GreyRows rows={8} />
  return (
    <>
      <section aria-labelledby="place">
        <div className="sect"><h2 id="place">{w.place}</h2></div>
        <dl className="panel pad kv">
          <dt>{w.version}</dt><dd className="mono">{data.version}</dd>
          <dt>{w.database}</dt><dd className="mono" title={data.database}>{data.database}</dd>
          <dt>{w.app}</dt><dd className="mono">{data.app}</dd>
          <dt>{w.namespace}</dt><dd className="mono">{data.namespace}</dd>
          <dt>{w.worker}</dt><dd className="mono" title={data.worker}>{data.worker}</dd>
        </dl>
      </section>
      <section aria-labelledby="retention">
        <div className="sect"><h2 id="retention">{w.retention}</h2></div>
        {data.retention.length === 0 ? <p className="panel pad">{w.forEver}</p> : <Rules rules={data.retention} />}
      </section>
      <section aria-labelledby="settings">
        <div className="sect"><h2 id="settings">{w.settings}</h2><span className="tiny faint cut">{w.readOnly}</span></div>
        <div className="panel">
          <table>
            <thead><tr><th>{w.setting}</th><th className="num value">{w.value}</th><th className="num value standard">{w.standard}</th></tr></thead>
            <tbody>{data.settings.map((each) => <Row key={each.name} of={each} />)}</tbody>
          </table>
        </div>
      </section>
    </>
  )
}

function Row({ of }: { of: SettingView }) {
  const same = of.value === of.default
  return <tr><td className="mono">{of.name}</td><td className={`num value mono ${same ? '' : 'b'}`}>{of.value}</td><td className="num value standard dim">{same ? w.isDefault : of.default}</td></tr>
}

function Rules({ rules }: { rules: RetentionView[] }) {
  return (
    <div className="panel">
      <table>
        <thead><tr><th>{w.workflow}</th><th>{w.state}</th><th className="num value">{w.keep}</th></tr></thead>
        <tbody>{rules.map((each) => <tr key={`${each.workflow} ${each.state}`}><td className={each.workflow ? 'mono' : 'dim'}>{each.workflow ?? w.any}</td><td>{each.state ? words.states[each.state] : <span className="dim">{w.anyState}</span>}</td><td className="num value">{duration(each.keep)}</td></tr>)}</tbody>
      </table>
    </div>
  )
}
