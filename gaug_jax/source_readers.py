"""Work on threads that reads Python source: one at a time in a process.

CPython counts how deep it is in a syntax tree in one place for all threads (gh-106905), and some
packages read their own source when they are imported or used, TensorFlow and orbax among them. Two
of them at the same time have ended in `SystemError: AST constructor recursion depth mismatch`.
"""

import threading

ONE_AT_A_TIME = threading.RLock()
