"""Graph -> Plan -> C package."""
