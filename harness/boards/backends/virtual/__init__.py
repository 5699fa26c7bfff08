"""Virtual boards: a real board's own image on an emulated chip."""
