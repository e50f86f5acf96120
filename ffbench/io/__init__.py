"""Files and text from outside: bounded reads, atomic writes, hashes, locks, archives, JSON and TOML, escaping."""
