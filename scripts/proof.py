"""`make proof`: what takes too long for every change; see tests/proof/README.md."""

import sys

from stages import BIN, Stage, run


def main() -> None:
    environment = {"REQUIRE_BROWSER": "1", "REQUIRE_TELEPHONY": "1"}
    deep = [str(BIN / "pytest"), "-p", "tests.worker", "-s", "tests/proof"]
    mutations = [sys.executable, "scripts/mutation.py"]
    stages = [
        Stage("deep tests", deep, environment, shown=True),
        Stage("mutations", mutations, shown=True),
    ]
    run(stages)


if __name__ == "__main__":
    main()
