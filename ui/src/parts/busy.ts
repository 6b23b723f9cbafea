// Whether something that was begun by hand is under way: it is begun once, however often a button or a key is pressed.
import { useRef, useState } from 'react'

/** Begins it, unless something is under way; gives whether it was carried out. What comes `then` leads away: until it has, nothing more is begun. */
type Begin = (work: () => Promise<boolean>, then?: () => void) => Promise<boolean>

export function useBusy(): [busy: boolean, begin: Begin] {
  const [busy, setBusy] = useState(false)
  const under = useRef(false)
  const set = (now: boolean) => {
    under.current = now
    setBusy(now)
  }
  const begin: Begin = async (work, then) => {
    if (under.current) return false
    set(true)
    let carried = false
    try {
      carried = await work()
    } finally {
      if (!carried || then === undefined) set(false)
    }
    if (carried) then?.()
    return carried
  }
  return [busy, begin]
}
