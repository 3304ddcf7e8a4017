"""`python -m forensics`: the command, where its script is not on the path.

Python puts the working folder first in its search for modules when it is started so. That may be a folder
with a model of somebody else's, and a `torch.py` in it would run. So the folder is taken out again, unless
this package lies in it; the script `forensics` never had it.
"""

# Both are loaded before any search; `pathlib` would be looked for in that folder.
import os
import sys

if __name__ == "__main__":
    here = os.path.realpath(os.curdir)
    package = os.path.realpath(os.path.join(__file__, os.pardir, os.pardir))  # noqa: PTH118
    if sys.path and not sys.flags.safe_path and os.path.realpath(sys.path[0]) == here != package:
        del sys.path[0]

    from forensics.cli.main import main

    main()
