"""Keeps runs moving: takes ownership, applies events, commits them, and carries out commands after the commit.

One duty to a file, named for the duty. The rule of the layer is *event, durable, release*: an outcome becomes an
event, the event goes to disk, and only then does anything leave, be it a step, a message or an answer.

May import: ``segue.kernel``, ``segue.recurrence``, ``segue.stores.base``, ``segue.encodings``, ``segue.secrets``,
``segue.errors``. Not ``segue.authoring``: an execution arrives as the kernel's protocol and the runtime cannot tell
which notation it came from.

Start reading: ``writer``, through which everything reaches the disk, then ``conductor``, which decides what is next.
"""
