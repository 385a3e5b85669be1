"""Keys that stay in a device or a service: PKCS#11 tokens, AWS KMS, Vault and OpenBao; and encrypted files, the default.

Answers: how is the workspace's root secret wrapped by a key we never see, and how does such a key sign?
Does not answer: which branch uses which key. `key_folder` wraps the root; for branches that sign, a courier of the signer
(`signing.courier`) is who asks here.
Nothing is imported here, so that a library for hardware loads only where hardware is used.
"""
