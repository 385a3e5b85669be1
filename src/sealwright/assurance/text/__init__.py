"""Documents: their words, what may happen to them, and which of them a model hangs on."""
