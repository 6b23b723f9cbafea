"""Workflows as plain ``async`` Python: the coroutine runs on a deterministic asyncio event loop of our own.

The loop's clock is the time of the last event, its timers are durable, and what completes does so in journal order;
hence the same journal always leads to the same place. What cannot be deterministic raises and names what to use
instead (docs/asyncio.md).

May import: ``segue.kernel``, ``segue.feel``, ``segue.errors``, and asyncio's classes, but never a loop that waits on
the operating system.

Start reading: ``loop`` (the event loop), ``shims`` (where the standard library's own order would depend on memory
addresses), then ``execution`` (events in, commands out) and ``definitions`` (what ``@workflow`` and ``@step`` make).
"""
