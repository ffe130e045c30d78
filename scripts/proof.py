"""`make proof`: what takes too long for every change; see tests/proof/README.md."""

import sys

from stages import Stage, make, run

REQUIRED = {"REQUIRE_BROWSER": "1", "REQUIRE_TELEPHONY": "1"}


def main() -> None:
    # In one process, so that the figures which the tests print are seen.
    deep = [
        *make("test", "-s -o faulthandler_timeout=1800 -o timeout=7200 tests/proof"),
        "WORKERS=0",
    ]
    mutation = [sys.executable, "scripts/mutation.py", "--processes", "1"]
    run(
        [Stage("deep tests", deep, REQUIRED, shown=True)],
        [Stage("mutations", mutation, shown=True)],
    )


if __name__ == "__main__":
    main()
