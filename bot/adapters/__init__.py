"""One file a vendor or store: the only places that speak to the outside."""
