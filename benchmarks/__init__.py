"""Speed, memory and accuracy, measured and printed as tables; none of it is a test."""
