"""Callers' budgets: how much each credential and each principal may ask, shared by all processes that serve.

`budgets.Budgets` is asked on the path of a request; the counters under it stand in engines. docs/how-to/limit-callers.md
says what is limited and how.
"""
