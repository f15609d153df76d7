"""Mixed load at a steady rate for half an hour, with all in it that an operator does: `make soak`.

    python -m tests.soak --minutes 30 --write
"""
