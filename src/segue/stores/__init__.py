"""The databases in which runs are kept: they persist, claim and fence, and decide nothing about workflows.

Every store fulfils the protocol in ``base`` and passes the same conformance suite. Everything that has to become true
together is one call of ``commit``, which is one transaction.

May import: ``segue.kernel`` and ``segue.errors``. The dialects (``sqlite``) are named by ``segue.engine`` only;
everybody else sees ``base``.

Start reading: ``base``, which is the whole contract between the engine and a database.
"""
