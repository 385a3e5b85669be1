"""Permissions: who may do what, decided by readable Cedar policies.

Answers: may this principal do this to that, by which policies, and who else may?
Does not answer: who somebody is, and how they proved it. Whoever made the `Principal` did.

`policies.cedar` and `schema.cedarschema` beside this file are the whole rule book. Allowed is only what a policy allows
while no policy forbids it and the engine reports no error at all; everything else, and every exception, is a no.
"""
