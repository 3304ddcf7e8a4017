"""What many finished runs say together."""
