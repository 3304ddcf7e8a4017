"""Whole runs: each module opens the sources, calls the analyses and hands the tables to `report`.

This is what the command line calls and what `import forensics as fx` offers. It computes nothing by
itself and prints nothing.
"""
