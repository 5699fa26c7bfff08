"""Board farms: boards on many hosts, leased one worker at a time.

    address    what --farm names: a coordinator of labgrid, or a file with the boards of this host
    leases     the protocol; `remote` through labgrid's coordinator, `local` by lock files
    agent      runs beside the boards, starts images that are sent to it and carries the bytes of their links
    member     the agent's part in a coordinator: places, tags, exporter, and the reaper of leases whose holder is gone
    health     which troubles are a board's, and when it is quarantined
    source     boards of a farm for a workbench; jobs run again elsewhere

labgrid runs in an environment of its own (`environment`) and only as other processes: its fork of pySerial replaces
pySerial. `labgrid_bridge` is the one module that runs there; `bridge` talks to it.
"""
