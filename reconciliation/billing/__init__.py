"""What calls cost by a price list, and what the provider itself bills for them."""
