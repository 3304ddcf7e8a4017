"""Which tokens were never, or hardly ever, trained."""
