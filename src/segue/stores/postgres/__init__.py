"""Runs in a PostgreSQL database: any number of workers, each with a lease.

Needs PostgreSQL 14 or later, no extension and no superuser. Statements stand one to a ``.sql`` file under the names
that the SQLite store uses, each with a header that says what it locks and why that is safe; migrations are numbered
``.sql`` files that are never edited after a release.

May import: ``segue.stores.base``, ``segue.stores.sql``, ``segue.errors``, psycopg (the extra ``segue[postgres]``).
Imported by ``segue.engine`` only, and only for a URL that asks for it.

Start reading: the first migration, ``ownership`` (who may write), ``commit`` (the transaction of a batch).
"""
