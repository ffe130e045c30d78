import sys

from callmanager_track.command_line import main

if __name__ == "__main__":
    sys.exit(main())
