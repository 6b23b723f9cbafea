// A page that cannot be shown, such as one whose code could not be fetched: the frame stays, and so does what leads elsewhere.
import { useRouter, type ErrorComponentProps } from '@tanstack/react-router'
import { ErrorFace } from '../parts/Faces'
import { words } from '../words'
import { Top } from './Top'

export function Failed({ error, reset }: ErrorComponentProps) {
  const router = useRouter()
  const retry = () => {
    reset()
    void router.invalidate()
  }
  return (
    <main id="content" tabIndex={-1}>
      <Top title={words.faces.failed} />
      <ErrorFace error={error instanceof Error ? error : new Error(String(error))} retry={retry} />
    </main>
  )
}
