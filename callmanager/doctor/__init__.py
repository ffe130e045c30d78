"""Whether this installation is in order, in plain words: one function a question, a line a finding.

A further question is one more function in a module here, and its name in `CHECKS` of `checks.py`.
"""
