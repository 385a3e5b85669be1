"""A model file opened up: what its columns come from, and the trees or the linear function behind them."""
