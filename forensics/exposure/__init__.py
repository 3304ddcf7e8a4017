"""Whether a model was exposed to text: scores of texts, the order of a data set, and what a blind judge sees.

Not called `membership`: a room of that name would hide the function `forensics.membership`.
"""
