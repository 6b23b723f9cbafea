-- Removes keyed state by (namespace, scope, key). Locks: its rows; of two who write one, the later counts.
DELETE FROM segue.state USING unnest(?::text[], ?::text[], ?::text[]) AS given (namespace, scope, key)
WHERE state.namespace = given.namespace AND state.scope = given.scope AND state.key = given.key
