"""What may change in a row, how far, and at what price."""
