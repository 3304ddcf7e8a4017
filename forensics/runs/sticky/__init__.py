"""The run of `sticky`."""
