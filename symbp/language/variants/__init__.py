"""Networks made of a network: other starts, standardised data, weighted classes."""
