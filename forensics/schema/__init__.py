"""The words, columns, options, summaries and findings that all rooms share: the contract of the package.

On the ground floor: imported by analyses, runs and reports, importing none of them. A name that is misspelt
here or at a place of use fails in mypy or at import, never at the end of a run.
"""
