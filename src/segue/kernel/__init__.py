"""The rules of durable execution, without a clock, a file or a random number: events in, commands out.

What happened to a run is its journal (``events``); what an execution asks for in answer is a command (``commands``).
Everything here is a function of its arguments, so that a rule is tested with a table and a thousand histories take
milliseconds.

May import: the standard library's pure parts, msgspec and ``segue.errors``. Never asyncio, time, random, threading, os,
sockets, databases or logging: what changes from one call to the next is passed in. The import contract in
``pyproject.toml`` holds this (docs/adr/0001).

Start reading: ``events`` (the vocabulary), then ``execution`` (the one protocol that every notation implements), then
``replay`` (how a run is brought back to where its journal ends).
"""
