"""Nightly runs: models x boards x modes x runtimes on a farm, resumable, compared with the last good night.

file       farm.yaml
jobs       what is to be run, in which order, by which shard
journal    what has been run: a SQLite file, written job by job
worker     a process that leases boards and runs jobs
dispatch   starts workers, replaces those that die
suspects   failures and regressions, run again on a second board
night      the whole, from the file to the exit code
"""
