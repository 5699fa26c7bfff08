"""Card -> vectors -> run -> measurement -> verdict."""
