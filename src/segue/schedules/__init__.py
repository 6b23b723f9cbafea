"""Schedules as users write and see them; what is due when is ``segue.recurrence``'s, what is done then the runtime's.

Start with ``scheduling`` (``engine.schedules``); ``planning`` makes a row's plan of what is written, ``info`` says how
it stands, ``declaring`` brings in those that code declares.

May import: ``segue.owner``, ``segue.configuration`` and what is below; of ``segue.engine``, which puts all together,
only the type.
"""
