"""The plots, one module per command; they import matplotlib only when they draw."""
