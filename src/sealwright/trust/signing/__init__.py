"""The signer: a process of its own that is the only holder of the workspace's private signing keys.

Answers: how does something get signed without anybody else holding the key, and what will be signed at all?
Does not answer: who may ask for it. Permissions are checked before; the signer looks at what it is given, and
at which door it came in by.

Two sides that share `messages`: those who ask (`client`, `remote`, `link`), and the process that holds the keys
(`vault`, `holding`, `renewal`, `rules_*`, `memory_*`, `service`, `server`, `standing`). Where a key is in a device or service, a
third: the processes that ask there (`courier`, and `couriers` for the signer's side of them; `placing`, `lanes`).
"""
