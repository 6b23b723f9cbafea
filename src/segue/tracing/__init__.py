"""OpenTelemetry: a run is a trace, each attempt of a step a span, and context travels into steps and out of callers.

Loaded when somebody has configured a tracer provider, and never else. May import the runtime and the kernel. Start with
``spans.py``; ``identity.py`` says why a span never has two ids.
"""
