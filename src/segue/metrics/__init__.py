"""Figures for machines: what a process counts of its own work, and what the database holds at the moment of a scrape.

May import the runtime and the stores' protocols; the server and the command line use it. Start with ``counting.py``,
which is on the path of every event, then ``exposing.py``, which writes it all down for Prometheus.
"""
