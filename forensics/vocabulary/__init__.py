"""What every token is: its bytes, text, category, script."""
