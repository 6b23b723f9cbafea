"""Users, API keys, sessions, the audit log and kept answers: each call is one transaction, or one look."""

from __future__ import annotations

import builtins

import msgspec

from segue.stores.account_rows import AuditRow, KeptAnswer, KeyRow, SessionRow, UserRow
from segue.stores.sql.statements import Readers, Row, Statement, Writer, texts

KEPT = 86_400_000_000
"""µs for which answers are kept."""

_list_users = Statement("list_users")
_user_by_name = Statement("user_by_name")
_user_by_subject = Statement("user_by_subject")
_add_user = Statement("add_user")
_change_user = Statement("change_user")
_remove_user = Statement("remove_user")
_list_keys = Statement("list_keys")
_key_by_id = Statement("key_by_id")
_add_key = Statement("add_key")
_revoke_key = Statement("revoke_key")
_remove_keys_of = Statement("remove_keys_of")
_session = Statement("session_by_digest")
_add_session = Statement("add_session")
_drop_sessions = Statement("drop_sessions")
_end_session = Statement("end_session")
_end_sessions_of = Statement("end_sessions_of")
_audit = Statement("audit")
_list_audit = Statement("list_audit")
_begin_answer = Statement("begin_answer")
_answer = Statement("answer_by_key")
_keep_answer = Statement("keep_answer")
_drop_answer = Statement("drop_answer")
_drop_answers = Statement("drop_answers")

_roles = msgspec.json.Decoder(dict[str, str])
_permissions = msgspec.json.Decoder(tuple[str, ...])


class Accounts:
    """Fulfils ``AccountRows``, where the docstrings stand."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    def list_users(self) -> builtins.list[UserRow]:
        return [_user(row) for row in self._read(_list_users)]

    def user(self, name: str) -> UserRow | None:
        return next(map(_user, self._read(_user_by_name, name)), None)

    def user_of(self, subject: str) -> UserRow | None:
        return next(map(_user, self._read(_user_by_subject, subject)), None)

    def add_user(self, user: UserRow) -> bool:
        roles = msgspec.json.encode(user.roles).decode()
        with self._writer.transaction() as connection:
            values = (user.name, user.password, roles, user.subject, user.created_at)
            return bool(_add_user.one(connection, values))

    def change_user(self, user: UserRow, before: UserRow) -> bool:
        roles, old_roles = (msgspec.json.encode(row.roles).decode() for row in (user, before))
        values = (user.name, user.password, roles, before.password, old_roles)
        with self._writer.transaction() as connection:
            changed = bool(_change_user.one(connection, values))
            if changed and user.password != before.password:
                _end_sessions_of.one(connection, (user.name,))
            return changed

    def remove_user(self, name: str) -> bool:
        with self._writer.transaction() as connection:
            _end_sessions_of.one(connection, (name,))
            _remove_keys_of.one(connection, (name,))
            return bool(_remove_user.one(connection, (name,)))

    def list_keys(self) -> builtins.list[KeyRow]:
        return [_key(row) for row in self._read(_list_keys)]

    def key(self, id: str) -> KeyRow | None:
        return next(map(_key, self._read(_key_by_id, id)), None)

    def add_key(self, key: KeyRow) -> None:
        permissions = texts(key.permissions)
        values = (
            key.id, key.digest, key.owner, key.label, key.namespace, permissions, key.created_at, key.expires_at
        )  # fmt: skip
        with self._writer.transaction() as connection:
            _add_key.one(connection, values)

    def revoke_key(self, id: str, at: int) -> bool:
        with self._writer.transaction() as connection:
            return bool(_revoke_key.one(connection, (id, at)))

    def session(self, digest: str) -> SessionRow | None:
        return next((SessionRow(*row) for row in self._read(_session, digest)), None)

    def add_session(self, session: SessionRow) -> None:
        with self._writer.transaction() as connection:
            _drop_sessions.one(connection, (session.created_at,))
            _add_session.one(connection, msgspec.structs.astuple(session))

    def end_session(self, digest: str) -> None:
        with self._writer.transaction() as connection:
            _end_session.one(connection, (digest,))

    def end_sessions_of(self, owner: str) -> None:
        with self._writer.transaction() as connection:
            _end_sessions_of.one(connection, (owner,))

    def audit(self, row: AuditRow) -> None:
        with self._writer.transaction() as connection:
            _audit.one(connection, msgspec.structs.astuple(row)[1:])

    def audited(
        self, namespace: str, *, actor: str | None = None, before: int | None = None, limit: int = 100
    ) -> builtins.list[AuditRow]:
        return [AuditRow(*row) for row in self._read(_list_audit, namespace, actor, before, limit)]

    def begin_answer(self, namespace: str, actor: str, key: str, request: str, at: int, *, stale: int) -> bool:
        with self._writer.transaction() as connection:
            _drop_answers.one(connection, (at - KEPT,))
            return bool(_begin_answer.one(connection, (namespace, actor, key, request, at, stale)))

    def answer(self, namespace: str, actor: str, key: str) -> KeptAnswer | None:
        return next((KeptAnswer(*row) for row in self._read(_answer, namespace, actor, key)), None)

    def keep_answer(self, namespace: str, actor: str, key: str, status: int, body: bytes) -> None:
        with self._writer.transaction() as connection:
            _keep_answer.one(connection, (namespace, actor, key, status, body))

    def drop_answer(self, namespace: str, actor: str, key: str) -> None:
        with self._writer.transaction() as connection:
            _drop_answer.one(connection, (namespace, actor, key))

    def _read(self, sql: Statement, *values: object) -> builtins.list[Row]:
        with self._readers.reading() as connection:
            return sql.one(connection, values)


def _user(row: Row) -> UserRow:
    name, password, roles, subject, created_at = row
    return UserRow(name, password, _roles.decode(roles), subject, created_at)


def _key(row: Row) -> KeyRow:
    id, digest, owner, label, namespace, permissions, created_at, expires_at, revoked_at = row
    permitted = _permissions.decode(permissions)
    return KeyRow(id, digest, owner, label, namespace, permitted, created_at, expires_at, revoked_at)
