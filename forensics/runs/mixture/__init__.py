"""The run of `mixture`."""
