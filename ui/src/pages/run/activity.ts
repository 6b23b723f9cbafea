// What a run does at this moment, which is nowhere recorded: how far its attempts have come.
import { useEffect, useMemo, useState } from 'react'
import { address } from '../../api/client'
import { parsed } from '../../api/exact'
import { useConnection } from '../../api/live'
import type { Activity, RunPicture } from '../../api/schema'

/** The picture with the progress of the attempts under way; the stream lives only as long as the run is open. */
export function useActivity(run: number, picture: RunPicture | undefined): RunPicture | undefined {
  const [activity, setActivity] = useState<Activity | null>(null)
  const open = picture !== undefined && picture.run.closed_at === null
  const { lost } = useConnection()
  const from = open ? picture.seq : 0
  useEffect(() => {
    if (!open || lost) return
    const source = new EventSource(address('follow_run', { run }, { after: from }))
    source.addEventListener('activity', (event: MessageEvent<string>) => setActivity(parsed(event.data) as Activity))
    source.addEventListener('end', () => source.close())
    return () => {
      source.close()
      setActivity(null)
    }
    // One stream for as long as the run is open, and another one after the server was away: where it begins does not matter for what is under way.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [run, open, lost])
  return useMemo(() => {
    if (!picture || !activity?.attempts?.length) return picture
    const under = new Map(activity.attempts.map((each) => [each.key, each]))
    const calls = picture.calls.map((call) => {
      const now = under.get(call.key)
      return now ? { ...call, progress: now.progress } : call
    })
    return { ...picture, calls }
  }, [picture, activity])
}
