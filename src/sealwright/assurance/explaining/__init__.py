"""How attributions, surrogates, counterfactuals and prototypes are worked out, for checks and for single rows."""
