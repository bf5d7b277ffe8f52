"""The rows of bench/server_cost.py, a module for each group of them.

Each module names its rows in ROWS and has measure(bench, wanted), which returns the rows of `wanted` in order.
"""
