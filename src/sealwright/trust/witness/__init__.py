"""Anchors of a ledger: what shows, from outside, that its history was cut off, forked or rewritten.

Answers: who else saw this checkpoint, and when?
Does not answer: is what the entries say true? Nobody who only sees checkpoints can know.
"""
