"""From the flow of a micro-expression to what recognisers see of it, and files of that."""
