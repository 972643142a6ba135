"""Claims about deliveries to receivers."""
