package store

// MigratedTables are the names of the tables that are moved.
func MigratedTables() (names []string) {
	for _, t := range migratedTables() {
		names = append(names, t.name)
	}
	return names
}
