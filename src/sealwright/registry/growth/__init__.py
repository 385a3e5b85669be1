"""How large the values of a model can become, node by node, before anything runs."""
