"""The HTTP API and what is served under it: everything that the dashboard does goes through here.

One route table (``routes``): each row names a method, a path, the permission it needs, what it takes and gives, and
its handler; whatever is not in the table is not there. OpenAPI falls out of the table (``openapi``). Handlers know an
engine and a typed call (``call``), nothing of HTTP.

May import: everything below. Start reading: ``routes``, then ``app``.
"""
