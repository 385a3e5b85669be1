"""Outside frameworks that run a model. Nothing else in this room imports them."""
