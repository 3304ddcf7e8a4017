"""The run of `scan`."""
