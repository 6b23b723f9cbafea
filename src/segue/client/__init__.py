"""How an engine is asked, whoever owns the run that is meant.

Start with ``starting`` (a run from its arguments to its first row) and ``messaging`` (signals, updates, queries), then
``ways``: what is asked is carried out here, where this process owns the run, or through the database, where another
does; ``sharing`` chooses between the two for each run. ``handles`` is what users hold of a run.

May import: ``segue.owner``, ``segue.configuration`` and what is below; of ``segue.engine``, which puts all together,
only the type.
"""
