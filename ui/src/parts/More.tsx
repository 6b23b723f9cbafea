// The end of a list that goes on: a button that loads what follows, and presses itself when it comes into view.
import { useEffect, useRef } from 'react'
import { words } from '../words'

/** So far below the screen it is pressed already, so that whoever scrolls does not wait. */
const AHEAD = '400px'

export function More({ load, loading }: { load: () => void; loading: boolean }) {
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    const seen = new IntersectionObserver((entries) => {
      if (!loading && entries.some((each) => each.isIntersecting)) load()
    }, { rootMargin: AHEAD })
    if (button.current) seen.observe(button.current)
    return () => seen.disconnect()
  }, [load, loading])
  return <button ref={button} className="btn" disabled={loading} onClick={load}>{loading ? words.faces.loading : words.faces.more}</button>
}
