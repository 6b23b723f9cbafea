"""What both stores do alike: the order of things in a transaction, and what is read.

Each statement is known here by its name; its text stands in ``queries/<name>.sql`` of the store that carries it out,
one folder per dialect with the same names in both.
"""
