"""Reports for people: console tables and a single-file HTML page, both made from result documents."""
