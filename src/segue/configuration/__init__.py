"""Where things are and how they are written: settings, the database that a URL names, the encodings of values.

Start with ``settings``. ``opening`` and ``moving`` are the only ones that know which databases there are.

May import: ``segue.stores``, ``segue.encodings``, ``segue.secrets``, ``segue.notifying`` and what is below. Not the
engine.
"""
