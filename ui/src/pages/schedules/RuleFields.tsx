// When: a cron line, an interval or a calendar rule, and the instants that it names.
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { ask } from '../../api/client'
import type { Calendar, Cron, Every, ScheduleBody } from '../../api/schema'
import { absolute, until } from '../../parts/format'
import { useNow } from '../../parts/Time'
import { words } from '../../words'

const w = words.schedules
type Rule = ScheduleBody['when']
const here = () => Intl.DateTimeFormat().resolvedOptions().timeZone
const STARTS: Record<Rule['type'], () => Rule> = {
  cron: () => ({ type: 'cron', line: '0 2 * * *', zone: here() }),
  every: () => ({ type: 'every', period: '1h' }),
  calendar: () => ({ type: 'calendar', rule: 'FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17;BYMINUTE=0', zone: here() }),
}

export function RuleFields({ rule, change }: { rule: Rule; change: (rule: Rule) => void }) {
  return (
    <>
      <div className="fld" role="group" aria-label={w.kind}>
        <span className="seg">
          {(Object.keys(STARTS) as Rule['type'][]).map((type) => (
            <button key={type} type="button" aria-pressed={rule.type === type} onClick={() => rule.type !== type && change(STARTS[type]())}>{w.kinds[type]}</button>
          ))}
        </span>
      </div>
      {rule.type === 'cron' && <CronFields rule={rule} change={change} />}
      {rule.type === 'every' && <EveryFields rule={rule} change={change} />}
      {rule.type === 'calendar' && <CalendarFields rule={rule} change={change} />}
      <Instants rule={rule} />
    </>
  )
}

function Text({ label, hint, value, change }: { label: string; hint?: string; value: string; change: (value: string) => void }) {
  return <label className="fld">{label} {hint && <span className="faint">{hint}</span>}<input className="inp mono" value={value} onChange={(event) => change(event.target.value)} /></label>
}

function CronFields({ rule, change }: { rule: Cron; change: (rule: Rule) => void }) {
  return (
    <div className="pair">
      <Text label={w.line} hint={w.lineHint} value={rule.line} change={(line) => change({ ...rule, line })} />
      <Text label={w.zone} value={rule.zone ?? ''} change={(zone) => change({ ...rule, zone })} />
    </div>
  )
}

function EveryFields({ rule, change }: { rule: Every; change: (rule: Rule) => void }) {
  const shown = (value: string | number | undefined) => (typeof value === 'number' ? `${value}s` : (value ?? ''))
  return (
    <div className="pair">
      <Text label={w.period} hint={w.periodHint} value={shown(rule.period)} change={(period) => change({ ...rule, period })} />
      <Text label={w.offset} hint={w.periodHint} value={rule.offset === 0 ? '' : shown(rule.offset)} change={(offset) => change({ ...rule, offset: offset || 0 })} />
    </div>
  )
}

function CalendarFields({ rule, change }: { rule: Calendar; change: (rule: Rule) => void }) {
  return (
    <>
      <Text label={w.rule} hint={w.ruleHint} value={rule.rule} change={(text) => change({ ...rule, rule: text })} />
      <div className="pair">
        <Text label={w.zone} value={rule.zone ?? ''} change={(zone) => change({ ...rule, zone })} />
        <Text label={w.start} hint={w.startHint} value={rule.start ?? ''} change={(start) => change({ ...rule, start: start || undefined })} />
      </div>
      <Text label={w.without} hint={w.withoutHint} value={(rule.without ?? []).join(', ')} change={(days) => change({ ...rule, without: days === '' ? [] : days.split(',').map((each) => each.trim()) })} />
    </>
  )
}

/** What the rule names next, or what is wrong with it, in the server's words. */
function Instants({ rule }: { rule: Rule }) {
  const now = useNow()
  const [settled, setSettled] = useState(rule)
  useEffect(() => {
    const wait = setTimeout(() => setSettled(rule), 250)
    return () => clearTimeout(wait)
  }, [rule])
  const { data, error } = useQuery({ queryKey: ['due-times', settled], queryFn: ({ signal }) => ask('preview_rule', { body: { when: settled, limit: 5 }, signal }), retry: false, placeholderData: keepPreviousData })
  return (
    <div className="foreseen" role="status" aria-label={w.preview}>
      {error ? <p className="failed word">{error.message}</p> : data && data.length > 0 ? <ul className="instants">{data.map((at) => <li key={at}><span>{absolute(at).replace(/\.\d+/, '')}</span><span className="num dim">{until(at, now)}</span></li>)}</ul> : w.previewNone}
    </div>
  )
}
