"""Validation: card -> vectors -> run on a board -> measurement -> verdict."""
