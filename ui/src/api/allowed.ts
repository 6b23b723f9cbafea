// What whoever looks may do here, as the routes name it, or that they have no role here; the server has the last word.
import { useQuery } from '@tanstack/react-query'
import { sessionQuery } from './queries'
import type { KeyBody, SessionView } from './schema'

export type Permission = KeyBody['permissions'][number]

/** Until it is known, nothing is offered that might be refused. */
export function useAllowed(): (permission: Permission) => boolean {
  const { data } = useQuery(sessionQuery)
  return (permission) => data?.permissions.includes(permission) ?? false
}

/** The session of somebody who is known, and has no role in the namespace that they look at. */
export function useStray(): SessionView | undefined {
  const { data } = useQuery(sessionQuery)
  return data !== undefined && data.name !== '' && !data.namespaces.includes(data.namespace) ? data : undefined
}
