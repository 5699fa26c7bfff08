"""The form `relocatable`."""
