// What was said and done about a task, the newest first, and the field for a comment.
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAllowed } from '../../api/allowed'
import { ask } from '../../api/client'
import { notesQuery } from '../../api/queries'
import type { HumanTask, TaskNote } from '../../api/schema'
import { useBusy } from '../../parts/busy'
import { done } from '../../parts/Confirm'
import { ErrorFace } from '../../parts/Faces'
import { Icon } from '../../parts/Icon'
import { Ago } from '../../parts/Time'
import { words } from '../../words'
import { Mark, useName } from './claiming'

const w = words.tasks
const LONGEST = 10_000

export function History({ task, workflow }: { task: HumanTask; workflow: string }) {
  const may = useAllowed()('tasks:act')
  const { data, error, refetch } = useQuery(notesQuery(task.task))
  return (
    <section style={{ border: 0 }}>
      <h3>{w.history}</h3>
      {error && !data && <ErrorFace error={error} retry={() => void refetch()} />}
      {task.closed_at != null && <Entry who={task.closed_by?.replace(/^user:/, '') ?? ''} what={w.answered} at={task.closed_at} />}
      {[...(data ?? [])].reverse().map((each, i) => <Note key={i} of={each} />)}
      <div className="log">
        <span className="av none" style={{ borderStyle: 'solid' }}><Icon name="flow" small /></span>
        <div><b className="b">{workflow}</b> {`${w.askedFor} ${task.assignee}`}<div className="tiny faint"><Ago at={task.opened_at} /></div></div>
      </div>
      {task.state === 'open' && may && <Comment task={task} />}
    </section>
  )
}

function Note({ of }: { of: TaskNote }) {
  return <Entry who={of.actor} what={of.kind === 'commented' ? of.text : of.kind === 'handed' ? w.handed(of.text) : w.did[of.kind]} at={of.at} says={of.kind === 'commented'} />
}

function Entry({ who, what, at, says = false }: { who: string; what: string; at: number; says?: boolean }) {
  const me = useName()
  return (
    <div className="log">
      <Mark of={who} />
      <div><b className="b">{who !== '' && who === me ? w.you : who}</b>{says ? ': ' : ' '}<span className="says">{what}</span><div className="tiny faint"><Ago at={at} /></div></div>
    </div>
  )
}

function Comment({ task }: { task: HumanTask }) {
  const [text, setText] = useState('')
  const [busy, begin] = useBusy()
  const submit = async (event: React.FormEvent) => {
    event.preventDefault()
    const sent = await begin(() => done(ask('comment_on_task', { path: { task: task.task }, body: { text } }), w.commented))
    if (sent) setText((now) => (now.startsWith(text) ? now.slice(text.length) : now)) // what was typed since stays
  }
  return (
    <form className="comment" onSubmit={(event) => void submit(event)}>
      <textarea className="inp" rows={2} maxLength={LONGEST} aria-label={w.comment} placeholder={w.comment} value={text} onChange={(event) => setText(event.target.value)} />
      {text.trim() !== '' && <button className="btn" disabled={busy}>{w.commentDo}</button>}
    </form>
  )
}
