"""payergraph: the open payer policy knowledge graph."""
