"""Sources: who may send, how that is verified, and what a sender is answered.

Nothing in here is imported by a function of an environment without sources.
"""
