"""What an engine does because it owns an app's runs: the code it serves, and what surrounds each attempt.

Start with ``serving``. ``host`` is what an attempt sees of the engine, ``capture`` keeps what it prints,
``process_worker`` is the other end of a step in a process. How runs are kept moving is the runtime's.

May import: ``segue.runtime`` and what that may, ``segue.authoring``, ``segue.configuration``, ``segue.notifying``,
``segue.tracing``. Not the engine.
"""
