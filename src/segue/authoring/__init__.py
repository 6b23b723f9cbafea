"""The notations in which people write workflows; each turns what was written into an ``Execution`` of the kernel.

One package per notation. None of them touches a database, a worker or a network, so that a workflow executes in a
test with nothing but a list of events.

May import: ``segue.kernel``, ``segue.feel``, ``segue.recurrence``, ``segue.errors``. Not the stores and not the
runtime: whoever needs them has them handed in.

Start reading: ``python``, the notation in which a workflow is an ``async def``.
"""
