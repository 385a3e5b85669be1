"""What the control server answers over HTTP. Handlers translate; the rooms decide."""
