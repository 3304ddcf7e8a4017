"""`membership`: texts against controls, and the order of a data set."""
