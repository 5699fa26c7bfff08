"""Programs that are no model: any ELF image, profiled by functions and by regions that its code marks."""
