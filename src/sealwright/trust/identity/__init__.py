"""How people prove who they are: first start, passwords, second factors, passkeys, recovery codes, sessions.

Answers: is this the person they say they are, and how strongly and how recently was it shown?
Does not answer: may they do what they want? That is `permissions`. In which roles they are: the signed enrolment says so.
Names are exported by `sealwright.trust`.
"""
