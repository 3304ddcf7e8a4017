"""What runs a model; the doors are `causal_lm` and `text_encoder`."""
