"""What stands behind `call_tracking`: journal, delivery, command line, softphones.

Programs import `call_tracking`; everything here may change.
"""

__version__ = "0.1.0"
