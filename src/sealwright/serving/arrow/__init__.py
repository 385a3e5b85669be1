"""Arrow IPC streams, read strictly and written plainly, without the Arrow library."""
