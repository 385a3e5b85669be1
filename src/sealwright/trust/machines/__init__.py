"""Services that log in: clients, access tokens, API keys, certificates, and taking each of them back.

Answers: which program is calling, how was that proven, and does it still hold?
Does not answer: may it do this? That is `permissions`; a service brings scopes, never roles.
"""
