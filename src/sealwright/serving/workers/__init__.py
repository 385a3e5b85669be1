"""Several worker processes that answer, and one keeper that writes down for all of them: one ledger, one state, one line to the signer."""
