"""Serves a queue in Python: carries out the steps that wait in it, on a machine that has no database.

A worker asks a server for attempts over HTTP, runs the steps' own functions as an engine would (coroutines on the loop,
plain functions in threads), and says what came of them. Everything durable is on the server's side.

May import: the layers below; ``server`` for its client and what is asked. Nothing imports it but the command line.

Start reading: ``worker`` for what a worker does, then ``lease`` for one attempt, ``surroundings`` for what a step has.
"""

from __future__ import annotations

from segue.queues.worker import QueueWorker

__all__ = ["QueueWorker"]
