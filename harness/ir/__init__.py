"""Graph: a network as tinyhil sees it, what is known of its operators, and the rules that it keeps."""
