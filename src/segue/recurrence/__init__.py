"""Which instants a rule names: cron lines, intervals and calendars, in time zones. Rules in, instants (µs, UTC) out.

A layer of its own, because it needs libraries and the time zone database, which the kernel must not: it may import the
kernel and errors. Start reading with ``rules``, what users write; ``walls`` has what daylight saving time does.
"""
