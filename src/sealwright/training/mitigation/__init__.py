"""Ways to make groups fare more alike, as arithmetic on arrays. No framework, no table; `adapters` train with them."""
