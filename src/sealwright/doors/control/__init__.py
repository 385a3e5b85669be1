"""The control server: the console and its API, over TLS, for people and programs who said who they are.

Answers: may this request come in, and what does it see?
Does not answer: what is true. The rooms below do; a handler here translates and decides nothing.

In reading order: `seams` (what others plug in), `router` (no route without a permission), `outer` (framing, host, headers),
`door` (who asks, from where, may they), `csrf`, `bodies`, `answers`, then the pages and the API.
"""
