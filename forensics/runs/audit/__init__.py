"""The run of `audit`."""
