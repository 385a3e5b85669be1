"""The verifier handed to auditors: one file that needs nothing of Sealwright, so nothing here imports it."""
