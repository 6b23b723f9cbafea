"""What a person changes about a run: going on from elsewhere, skipping a call, other arguments, erasing its data.

Start with ``actions``. ``forking`` makes the journal of a run that goes on from a place in another's; ``sparing`` says
what of it need not be done again. Many runs at once: ``segue.bulk``.

May import: ``segue.owner``, ``segue.configuration`` and what is below; of ``segue.engine``, which puts all together,
only the type.
"""
