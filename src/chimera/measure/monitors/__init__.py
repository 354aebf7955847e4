"""Watch the machine while a benchmark runs, from a process of its own.

This file imports nothing: the watching process imports the package too, and must start fast.
"""
