"""Runs our site under uvicorn, which only the peers' environment has: ours stands before it.

python -m bench.peers.under_uvicorn PACKAGES callmanager.asgi:application --port 8000
"""

import runpy
import site
import sys

if __name__ == "__main__":
    site.addsitedir(sys.argv.pop(1))
    sys.argv[0] = "uvicorn"
    runpy.run_module("uvicorn", run_name="__main__")
