"""What clients were told, held against what is there after a `kill -9`.

    python -m tests.faults.durability --rounds 100 --seed 1
"""
