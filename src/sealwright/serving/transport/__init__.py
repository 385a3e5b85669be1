"""How every server of ours meets the network: one checked configuration, one connection, one way to end.

Answers: on which address, behind which certificate, within which limits, and which bytes count as a request.
Does not answer: what is served. That is the application each server brings.
"""
