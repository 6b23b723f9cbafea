"""Telling somebody outside what has happened: the built-in workflow that does it, and the ways to send.

May import the authoring notation and the kernel. ``runtime/notices.py`` starts it; start with ``workflow.py``.
"""
