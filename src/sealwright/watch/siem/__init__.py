"""Security events in the formats SIEMs read, sent from a cursor over a durable ledger. Names: `sealwright.watch`."""
